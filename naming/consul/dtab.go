package consul

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/naming"
)

// DtabConfig says where in Consul's store a dtab is. The zero value is the key
// namerd/dtabs/default of the agent on this machine.
type DtabConfig struct {
	Agent `yaml:",inline"`

	// PathPrefix is the path of the keys of all dtabs. Empty is /namerd/dtabs.
	PathPrefix dtab.Path `yaml:"pathPrefix"`

	// Namespace is the last part of the key, of letters, digits, _ and -. Empty is
	// default.
	Namespace string `yaml:"namespace"`

	// Datacenter is whose store is meant. Empty is that of the agent.
	Datacenter string `yaml:"datacenter"`

	ReadConsistencyMode Consistency `yaml:"readConsistencyMode"`

	// MinBackoff and MaxBackoff bound the pause after a failure, which doubles from
	// the one to the other and is shortened by a random part of up to a half. Zero is
	// 50 ms and 1.5 s. When an agent that was down is back, the pause ends.
	MinBackoff, MaxBackoff time.Duration `yaml:"-"`
}

// Dtab is the dtab that is kept under a key of Consul's store, for the Stored of
// an interpreter. No such key is an empty dtab. A value that is not a dtab, and
// whatever else goes wrong, leaves the last good one in force, marked stale. It is
// safe for concurrent use. Close it.
type Dtab struct {
	agent  *client
	shared *naming.Shared[string, dtab.Dtab]
	cancel context.CancelFunc
	weft.Source[naming.State[dtab.Dtab]]
}

// NewDtab begins to watch the key.
func NewDtab(c DtabConfig, o Options) (*Dtab, error) {
	if c.Namespace == "" {
		c.Namespace = "default"
	}
	if !regexp.MustCompile(`^[A-Za-z0-9_-]+$`).MatchString(c.Namespace) {
		return nil, fmt.Errorf("consul: namespace: %q: want letters, digits, _ and -", c.Namespace)
	}
	if c.PathPrefix.IsEmpty() {
		c.PathPrefix = dtab.MustPath("/namerd/dtabs")
	}
	if err := c.ReadConsistencyMode.check("readConsistencyMode"); err != nil {
		return nil, err
	}
	if c.MinBackoff < 0 || c.MaxBackoff < 0 || c.MaxBackoff > 0 && c.MinBackoff > c.MaxBackoff {
		return nil, fmt.Errorf("consul: backoff: from %v to %v: want neither negative, and the second not to be less", c.MinBackoff, c.MaxBackoff)
	}
	o = o.withDefaults(c.TLS != nil)
	agent, err := newClient(c.Agent, o, c.ReadConsistencyMode != ConsistencyStale)
	if err != nil {
		return nil, err
	}
	key := strings.Join(append(c.PathPrefix.Strings(), c.Namespace), "/")
	q := question[dtab.Dtab]{
		path: "/v1/kv" + escaped(c.PathPrefix) + "/" + c.Namespace, params: url.Values{"raw": {"true"}}, mode: c.ReadConsistencyMode,
		accepted: []int{http.StatusOK, http.StatusNotFound}, read: readDtab,
		minBackoff: c.MinBackoff, maxBackoff: c.MaxBackoff,
	}
	if c.Datacenter != "" {
		q.params.Set("dc", c.Datacenter)
	}
	d := &Dtab{agent: agent}
	d.shared = naming.NewShared(naming.WatchFunc[string, dtab.Dtab](
		func(ctx context.Context, _ string, set func(naming.State[dtab.Dtab])) error {
			return poll(ctx, agent, q, set)
		}), naming.SharedOptions{Logger: o.Logger})
	ctx, cancel := context.WithCancel(context.Background())
	d.cancel = cancel
	d.Source = d.shared.Observe(ctx, key)
	return d, nil
}

// Watches implements naming.Reporter.
func (d *Dtab) Watches() []naming.WatchStatus { return d.shared.Watches() }

// Close ends the watch and waits for it. The value stands still.
func (d *Dtab) Close() error {
	d.cancel()
	defer d.agent.close()
	return d.shared.Close()
}

// escaped returns a path as a part of a URL.
func escaped(p dtab.Path) string {
	var b strings.Builder
	for e := range p.Elems() {
		b.WriteString("/" + url.PathEscape(e))
	}
	return b.String()
}

func readDtab(resp *http.Response) (d dtab.Dtab, nothing bool, err error) {
	if resp.StatusCode == http.StatusNotFound {
		if resp.Header.Get("X-Consul-Index") == "" {
			return nil, false, fmt.Errorf("%w: status 404 without an index: want Consul's word for it that there is no such key", errGarbled)
		}
		return dtab.Dtab{}, true, nil
	}
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, false, err
	}
	d, err = dtab.Parse(string(text))
	if err != nil {
		return nil, false, fmt.Errorf("%w: %w", errRejected, err)
	}
	return d, false, nil
}
