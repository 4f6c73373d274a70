// Package rancher is the namer io.l5d.rancher: it follows the containers of a
// Rancher 1.x service through the metadata service of Rancher.
package rancher
