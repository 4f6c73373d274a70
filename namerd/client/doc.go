// Package client asks a namerd's HTTP API, weft's or that of namerd 1.7.5: reads
// and writes dtabs, follows them, binds and explains names.
//
//	c, err := client.New("http://namerd:4180", client.Options{})
//	defer c.Close()
//	_, err = c.Edit(ctx, "default", func(d dtab.Dtab) (dtab.Dtab, error) {
//		return append(d, dtab.MustParse("/svc/web => /svc/web-v2")...), nil
//	})
//
// What only weft's namerd has: the version that a write made, a version for Delete,
// notes, and History.
package client
