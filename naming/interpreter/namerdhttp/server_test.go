package namerdhttp_test

import (
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/netip"
	"testing"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/internal/namerdtest"
	"github.com/weft-mesh/weft/naming"
	"github.com/weft-mesh/weft/naming/interpreter/namerdhttp"
	"github.com/weft-mesh/weft/naming/interpreter/remote"
)

func harness() namerdtest.Harness {
	return namerdtest.Harness{
		Serve: serve,
		New: func(s namerdtest.Settings, o remote.Options) (namerdtest.Interpreter, error) {
			return namerdhttp.New(namerdhttp.Config{
				Base: s.Base, RetryBase: s.RetryBase, RetryMax: s.RetryMax, MinPeriod: s.PingEvery, CloseTimeout: s.PingLimit,
				TLS: s.TLS,
			}, o)
		},
	}
}

func TestFlow(t *testing.T) { harness().Run(t) }

type object = map[string]any

// serve serves a World in HTTP, in the forms of the specification.
func serve(t *testing.T, ln net.Listener, w *namerdtest.World) func() {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /api/1/bind/default", func(rw http.ResponseWriter, r *http.Request) {
		path := r.URL.Query().Get("path")
		defer w.Asked(path, r.URL.Query().Get("dtab"))()
		follow(rw, r, w.Tree(path).Load, func(st namerdtest.Tree) (any, error) { return tree(st.Value), st.Err })
	})
	mux.HandleFunc("GET /api/1/addr/default", func(rw http.ResponseWriter, r *http.Request) {
		follow(rw, r, w.Addr(r.URL.Query().Get("path")).Load, func(st namerdtest.Addr) (any, error) { return addr(st), nil })
	})
	mux.HandleFunc("GET /api/1/dtabs/default", func(rw http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("watch") == "" { // a ping
			rw.WriteHeader(http.StatusNotFound)
			return
		}
		follow(rw, r, w.Dtab().Load, func(st namerdtest.Rules) (any, error) {
			all := []object{}
			for _, e := range st.Value {
				all = append(all, object{"prefix": e.Prefix.String(), "dst": dtab.ShowTree(e.Dst)})
			}
			return all, nil
		})
	})
	mux.HandleFunc("GET /api/1/delegate/default", func(rw http.ResponseWriter, r *http.Request) {
		d, ok := w.Explanation(r.URL.Query().Get("path"))
		if !ok {
			http.Error(rw, "no explanation", http.StatusNotImplemented)
			return
		}
		var resolve func(d *naming.Delegation)
		resolve = func(d *naming.Delegation) {
			if d.Bound != nil {
				d.Addr, _ = w.Addr(d.Bound.ID.String()).Load()
			}
			kids := append([]naming.Delegation{}, d.Kids...)
			for i := range kids {
				resolve(&kids[i])
			}
			d.Kids = kids
		}
		resolve(&d)
		b, err := d.MarshalJSON()
		if err != nil {
			http.Error(rw, err.Error(), http.StatusInternalServerError)
			return
		}
		rw.Header().Set("Content-Type", "application/json")
		rw.Write(b)
	})
	s := &http.Server{Handler: mux}
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.Serve(ln)
	}()
	return func() {
		s.Close()
		<-done
	}
}

// follow writes a stream of JSON.
func follow[T any](rw http.ResponseWriter, r *http.Request, load func() (naming.State[T], <-chan struct{}), form func(naming.State[T]) (any, error)) {
	if r.URL.Query().Get("watch") != "true" {
		http.Error(rw, "not a watch", http.StatusInternalServerError)
		return
	}
	rw.Header()["Content-Type"] = nil
	namerdtest.Follow(r.Context(), source[T](load), func(st naming.State[T]) bool {
		v, err := form(st)
		if err != nil {
			io.WriteString(rw, err.Error()+"\n") // the status is 200 already
			return false
		}
		if json.NewEncoder(rw).Encode(v) != nil {
			return false
		}
		return http.NewResponseController(rw).Flush() == nil
	})
}

type source[T any] func() (naming.State[T], <-chan struct{})

func (s source[T]) Load() (naming.State[T], <-chan struct{}) { return s() }

func tree(t dtab.Tree[*naming.Bound]) object {
	switch t.Op {
	case dtab.Neg:
		return object{"type": "neg"}
	case dtab.Fail:
		return object{"type": "fail"}
	case dtab.Empty:
		return object{"type": "empty"}
	case dtab.Leaf:
		return object{"type": "leaf", "bound": object{
			"addr": object{"type": "bound", "addrs": []any{}, "meta": object{}},
			"id":   t.Value.ID.String(), "path": t.Value.Residual.String(),
		}}
	case dtab.Alt:
		all := []any{}
		for _, k := range t.Kids {
			all = append(all, tree(k))
		}
		return object{"type": "alt", "alt": all}
	default:
		all := []any{}
		for _, k := range t.Kids {
			all = append(all, object{"weight": k.Weight, "tree": tree(k)})
		}
		return object{"type": "union", "union": all}
	}
}

func addr(st namerdtest.Addr) object {
	switch {
	case !st.Known:
		return object{"type": "failed", "cause": st.Err.Error()}
	case st.Value.Neg:
		return object{"type": "neg"}
	}
	all := []any{}
	for _, e := range st.Value.Endpoints {
		at := netip.MustParseAddrPort(e.Addr)
		meta := object{"nested": object{"a": []int{1}}}
		for k, v := range e.Meta {
			meta[k] = v
		}
		if e.Weight != 0 {
			meta["endpoint_addr_weight"] = e.Share()
		}
		all = append(all, object{"ip": at.Addr().String(), "port": at.Port(), "meta": meta, "unknown": 1})
	}
	return object{"type": "bound", "addrs": all, "meta": st.Value.Meta}
}
