// Package k8s is io.l5d.k8s: dtabs as objects of a Kubernetes cluster, of the kind that
// namerd 1.7.5 has. The kind must be there: apply deploy/kubernetes/dtab-crd.yaml.
//
//	apiVersion: l5d.io/v1alpha1
//	kind: DTab
//	metadata: {name: default}
//	dentries:
//	- {prefix: /svc, dst: /#/io.l5d.k8s/default/http}
//
// The name of the object is the namespace. Whoever may write such objects may use
// kubectl too.
//
// # Permissions
//
// The role needs get, list, watch, create, update and delete on dtabs of the API group
// l5d.io. With get on the namespace (the core resource) that the objects are in,
// revisions are comparable between clients that reach the API server at different
// addresses.
//
// # Versions and writes
//
// A version is the object's resourceVersion, and writes are refused by the API server
// if it is another one. A connection that is lost in the middle of a write leaves a
// doubt, which the ids of changes in the history resolve, as long as they are there;
// where they do not, the error is none of package namerd's. That is so for a deletion
// whenever the object has gone.
//
// # History
//
// The last 10 changes are in the annotation weft.io/history of the object, fewer if they
// are more than 100 KB. They go with the object when it is deleted, and with a client
// that does not keep annotations, such as namerd 1.7.5, when it updates it. A dtab of
// more than 50 KB is in the history as long as it is the present one.
package k8s
