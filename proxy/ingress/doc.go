// Package ingress names requests by the ingresses of a Kubernetes cluster: Linkerd's
// identifier io.l5d.ingress. A request becomes <prefix>/<namespace>/<port>/<service>,
// of the backend that the ingresses have for its host and path.
//
// Which ingresses count: those whose class, as in the annotation
// kubernetes.io/ingress.class or else in spec.ingressClassName, is the configured one.
// Those that state none count unless the cluster has a default class that is another
// one.
//
// Hosts are compared without port and in any case; *.example.com stands for one label
// in place of the asterisk. Paths are those of the request as it was sent, without the
// query. Of the rules that match:
//
//   - among Exact and Prefix, those of the exact host come before those of a wildcard,
//     and those before rules without a host; of one host the longest path comes first,
//     and Exact before Prefix, as Kubernetes says.
//   - among ImplementationSpecific, which is what rules of the APIs before
//     networking.k8s.io/v1 are, the first one in the order of the ingresses (by
//     namespace and name) and of the rules in them, as in Linkerd. Their path is a
//     regular expression that must match the whole path; "/" matches "/" only, and the
//     empty one everything.
//   - of one of either sort, the one with the more specific host; of the same host,
//     Exact, then the one with the longer literal beginning of the path, then
//     ImplementationSpecific.
//
// Requests that no rule matches go to the default backend of the first ingress that
// has one, unless that is switched off.
package ingress
