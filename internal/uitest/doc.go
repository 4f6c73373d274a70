// Package uitest drives the pages of the admin server in a real Chromium. Run is for other
// packages' scripts, too; its own, in proxy/admin/ui/test/browser, are of the dashboard.
package uitest
