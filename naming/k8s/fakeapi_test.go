package k8s_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/weft-mesh/weft/naming/k8s"
)

// fakeAPI is an API server that does what a test wants, also what a real one does
// not. It holds collections, by their path, of objects as JSON.
type fakeAPI struct {
	*httptest.Server
	mu          sync.Mutex
	version     int
	collections map[string]*collection
	statuses    map[string]int // of answers, by a part of the path
	requests    []string
}

type collection struct {
	history []change
	keys    []string // in order
	objects map[string]string
	watches map[chan string]struct{}
}

// change is what a watch from an older version is told.
type change struct {
	version int
	text    string
}

func newFakeAPI(t *testing.T) *fakeAPI {
	t.Helper()
	f := &fakeAPI{version: 100, collections: map[string]*collection{}, statuses: map[string]int{}}
	f.Server = httptest.NewServer(http.HandlerFunc(f.serve))
	t.Cleanup(func() {
		f.CloseClientConnections()
		f.Close()
	})
	return f
}

func (f *fakeAPI) access(t *testing.T) k8s.Access {
	t.Helper()
	u := must[*url.URL](t)(url.Parse(f.URL))
	return k8s.Access{Host: u.Hostname(), Port: must[int](t)(strconv.Atoi(u.Port()))}
}

func (f *fakeAPI) at(path string) *collection {
	c := f.collections[path]
	if c == nil {
		c = &collection{objects: map[string]string{}, watches: map[chan string]struct{}{}}
		f.collections[path] = c
	}
	return c
}

// put stores an object under a collection, and tells the watches. %v in it is its
// version.
func (f *fakeAPI) put(path, name, object string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.version++
	object = strings.ReplaceAll(object, "%v", strconv.Itoa(f.version))
	c := f.at(path)
	kind := "MODIFIED"
	if _, ok := c.objects[name]; !ok {
		kind = "ADDED"
		c.keys = append(c.keys, name)
	}
	c.objects[name] = object
	event := fmt.Sprintf(`{"type":%q,"object":%s}`, kind, object)
	c.history = append(c.history, change{f.version, event})
	f.send(c, event)
}

// forget deletes an object without telling the watches.
func (f *fakeAPI) forget(path, name string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	c := f.at(path)
	delete(c.objects, name)
	f.version++
}

// say sends text to the watches of a collection, once there is one; "" ends them.
func (f *fakeAPI) say(path, text string) {
	for {
		f.mu.Lock()
		c := f.at(path)
		if len(c.watches) > 0 {
			f.send(c, text)
			f.mu.Unlock()
			return
		}
		f.mu.Unlock()
		time.Sleep(time.Millisecond)
	}
}

func (f *fakeAPI) send(c *collection, text string) {
	for w := range c.watches {
		w <- text
	}
}

// refuse has requests whose path contains part answered with a status; 0 ends that.
func (f *fakeAPI) refuse(part string, status int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.statuses[part] = status
}

// asked returns how many requests had that in their URL.
func (f *fakeAPI) asked(part string) int {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := 0
	for _, r := range f.requests {
		if strings.Contains(r, part) {
			n++
		}
	}
	return n
}

func (f *fakeAPI) serve(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	f.requests = append(f.requests, r.URL.String())
	for part, status := range f.statuses {
		if status != 0 && strings.Contains(r.URL.String(), part) {
			f.mu.Unlock()
			w.WriteHeader(status)
			fmt.Fprintf(w, `{"kind":"Status","message":"no","code":%d}`, status)
			return
		}
	}
	c := f.at(r.URL.Path)
	if r.URL.Query().Get("watch") == "" {
		items := []json.RawMessage{}
		for _, k := range c.keys {
			if o, ok := c.objects[k]; ok {
				items = append(items, json.RawMessage(o))
			}
		}
		version := f.version
		f.mu.Unlock()
		fmt.Fprintf(w, `{"kind":"SomeList","items":[`)
		for i, o := range items {
			if i > 0 {
				fmt.Fprint(w, ",")
			}
			_, _ = w.Write(o)
		}
		fmt.Fprintf(w, `],"metadata":{"resourceVersion":"%d"}}`, version)
		return
	}
	events := make(chan string, 100)
	c.watches[events] = struct{}{}
	from, _ := strconv.Atoi(r.URL.Query().Get("resourceVersion"))
	for _, h := range c.history {
		if h.version > from {
			events <- h.text
		}
	}
	f.mu.Unlock()
	defer func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		delete(c.watches, events)
	}()
	flusher, _ := w.(http.Flusher)
	flusher.Flush()
	for {
		select {
		case e := <-events:
			if e == "" {
				return
			}
			fmt.Fprint(w, e)
			flusher.Flush()
		case <-r.Context().Done():
			return
		}
	}
}

const (
	endpointsOf = "/api/v1/namespaces/srv/endpoints"
	servicesOf  = "/api/v1/namespaces/srv/services"
	slicesOf    = "/apis/discovery.k8s.io/v1/namespaces/srv/endpointslices"
	configMaps  = "/api/v1/namespaces/default/configmaps"
	sessions    = `{"metadata":{"name":"sessions","namespace":"srv","resourceVersion":"%v"},"subsets":[{
		"addresses":[{"ip":"10.248.4.9","nodeName":"node-4"},{"ip":"10.248.7.11"},{"ip":"10.248.8.9"}],"notReadyAddresses":[{"ip":"10.248.9.9"}],
		"ports":[{"name":"http","port":8083,"protocol":"TCP"},{"name":"admin","port":9990,"protocol":"tcp"},{"port":1},{"name":"dns","port":53,"protocol":"UDP"}]}]}`
)
