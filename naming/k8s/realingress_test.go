package k8s_test

import (
	"context"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/internal/testcert"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/naming/k8s"
)

// until waits for a state with which ok is content.
func until[T any](t *testing.T, src weft.Source[naming.State[T]], what string, ok func(naming.State[T]) bool) naming.State[T] {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	s, err := weft.Until(ctx, src, ok)
	require.NoError(t, err, "%s: %+v", what, s)
	return s
}

func (c cluster) client() *http.Client {
	return &http.Client{Transport: &http.Transport{
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true,
	}}
}

func (c sub) testIngresses() {
	t := c.t
	c.namespace("front")
	c.Apply(`{"apiVersion":"networking.k8s.io/v1","kind":"IngressClass","metadata":{"name":"linkerd","annotations":{"ingressclass.kubernetes.io/is-default-class":"true"}},"spec":{"controller":"weft/ingress"}}`,
		`{"apiVersion":"networking.k8s.io/v1","kind":"Ingress","metadata":{"namespace":"front","name":"b"},"spec":{"ingressClassName":"linkerd",
		"defaultBackend":{"service":{"name":"fallback","port":{"number":80}}},"tls":[{"hosts":["b.example","a.example"],"secretName":"cert"}],
		"rules":[{"host":"a.example","http":{"paths":[
			{"path":"/x","pathType":"Prefix","backend":{"service":{"name":"x","port":{"name":"http"}}}},
			{"path":"/y","pathType":"Exact","backend":{"service":{"name":"y","port":{"number":8080}}}},
			{"path":"/z","pathType":"Exact","backend":{"resource":{"apiGroup":"v1","kind":"Bucket","name":"z"}}}]}}]}}`,
		`{"apiVersion":"networking.k8s.io/v1","kind":"Ingress","metadata":{"namespace":"front","name":"a","annotations":{"kubernetes.io/ingress.class":"nginx"}},"spec":{"rules":[{"http":{"paths":[
			{"path":"/.*","pathType":"ImplementationSpecific","backend":{"service":{"name":"n","port":{"number":1}}}}]}}]}}`)
	log := &logs{}
	i := must[*k8s.Ingresses](t)(k8s.NewIngresses(k8s.IngressConfig{Access: c.access(nil)}, k8s.Options{Certificates: true, Logger: log.logger()}))
	defer i.Close()
	s := until(t, weft.Source[naming.State[k8s.Table]](i), "table", func(s naming.State[k8s.Table]) bool { return s.Known })
	require.Len(t, s.Value.Ingresses, 2)
	a, b := s.Value.Ingresses[0], s.Value.Ingresses[1]
	assert.Equal(t, []string{"a", "b", "nginx", "linkerd", "linkerd"}, []string{a.Name, b.Name, a.Class(), b.Class(), s.Value.DefaultClass()})
	assert.Equal(t, &k8s.Backend{Namespace: "front", Service: "fallback", PortNumber: 80}, b.DefaultBackend)
	assert.Equal(t, []k8s.Rule{
		{Host: "a.example", Path: "/x", PathType: k8s.Prefix, Backend: k8s.Backend{Namespace: "front", Service: "x", PortName: "http"}},
		{Host: "a.example", Path: "/y", PathType: k8s.Exact, Backend: k8s.Backend{Namespace: "front", Service: "y", PortNumber: 8080}},
	}, b.Rules)
	assert.Equal(t, []k8s.IngressTLS{{Hosts: []string{"b.example", "a.example"}, Secret: "cert"}}, b.TLS)
	assert.False(t, b.Created.IsZero())
	assert.Contains(t, log.String(), `front/b`)
	assert.Contains(t, log.String(), `the backend is not a port of a service`)

	none := until(t, i.Certificates(), "no secret", func(s naming.State[[]k8s.Certificate]) bool { return s.Known })
	assert.Empty(t, none.Value)
	assert.ErrorContains(t, none.Err, "front/cert")
	pair := testcert.New(t, "root", nil).Issue(t, "a.example", "a.example")
	c.Apply(fmt.Sprintf(`{"apiVersion":"v1","kind":"Secret","type":"kubernetes.io/tls","metadata":{"namespace":"front","name":"cert"},"data":{"tls.crt":%q,"tls.key":%q}}`,
		base64.StdEncoding.EncodeToString(pair.Cert), base64.StdEncoding.EncodeToString(pair.Key)))
	certs := until(t, i.Certificates(), "the certificate", func(s naming.State[[]k8s.Certificate]) bool { return len(s.Value) == 1 && s.Err == nil })
	assert.Equal(t, []string{"a.example", "b.example"}, certs.Value[0].Hosts)
	assert.NoError(t, certs.Value[0].Certificate.Leaf.VerifyHostname("a.example"))

	c.Delete("networking.k8s.io/v1", "Ingress", "front", "a")
	s = until(t, weft.Source[naming.State[k8s.Table]](i), "one", func(s naming.State[k8s.Table]) bool { return len(s.Value.Ingresses) == 1 })
	assert.Equal(t, "b", s.Value.Ingresses[0].Name)
	c.Delete("networking.k8s.io/v1", "Ingress", "front", "b")
	until(t, i.Certificates(), "none wanted", func(s naming.State[[]k8s.Certificate]) bool { return len(s.Value) == 0 && s.Err == nil })
}
