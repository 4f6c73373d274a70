// Package routetest runs unit tests of routing: given these rules, what these namers
// would answer, and this name or request, expect these destinations with these
// shares. Nothing is sent and no server of discovery is asked. It is what weft test
// runs:
//
//	# web_test.yaml
//	dtab: |
//	  /svc     => /#/io.l5d.fs ;
//	  /svc/web => 9 * /#/io.l5d.fs/web-v1 & 1 * /#/io.l5d.fs/web-v2 ;
//	endpoints:
//	  /#/io.l5d.fs:
//	    web-v1: [10.0.0.1:80]
//	    web-v2: [10.0.0.2:80]
//	    users:  [10.0.0.3:80]
//	tests:
//	- test: web is split
//	  name: /svc/web
//	  split: {/#/io.l5d.fs/web-v1: 90%, /#/io.l5d.fs/web-v2: 10%}
//	- test: an override reaches the new version
//	  name: /svc/web
//	  override: /svc/web => /#/io.l5d.fs/web-v2
//	  to: /#/io.l5d.fs/web-v2
//	- test: names come from the Host header
//	  request: {headers: {Host: users}}
//	  identified: /svc/users
//	  to: /#/io.l5d.fs/users
//	- test: nobody knows payments
//	  name: /svc/payments
//	  nowhere: true
//
// With config: linkerd.yaml, names are identified and rewritten as one of its routers
// does, with the namers of the file replaced by what endpoints says.
package routetest
