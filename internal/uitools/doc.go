// Package uitools drives the admin servers' tools in a real Chromium, before real proxies
// and a real namerd, with the scripts in proxy/admin/ui/test/tools: the playground, recent
// requests, the tap, log levels and the editor of namespaces. It has tests only.
package uitools
