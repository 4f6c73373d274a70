// Package editor is what the pages of namerd's namespaces ask: what there is, what a
// change of rules would do to the names that are being bound, and to make it.
//
//	GET  /namespaces.json                   the namespaces
//	GET  /namespace.json?namespace=NS       one, with its history and the names bound in it;
//	                                        &version=V&wait=20s waits for another version
//	POST /namespace/preview.json            what a change would do
//	POST /namespace/save.json               make it
//	POST /namespace/delete.json             delete one
//
// Nothing here asks who may do so: the security settings of the admin server do, which
// have what is sent by POST in the category control.
package editor
