// Package uitest drives the pages of the admin server in a real Chromium, with scripts
// in proxy/admin/ui/test/browser. It has tests only.
package uitest
