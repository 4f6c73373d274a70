package consul

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/naming"
)

// localDC in a name is the datacenter of the agent.
const localDC = ".local"

var (
	// ErrFiltered is in the chain of the error of a service of which the token may see
	// nothing.
	ErrFiltered = errors.New("the token may not see the service or its nodes: it needs service:read and node:read")

	// errGarbled is in the chain of the error of an answer that Consul does not give.
	errGarbled = errors.New("unintelligible answer")

	// errRejected is in the chain of the error of an answer whose content is of no use
	// until it changes.
	errRejected = errors.New("unusable content")
)

// watch is the naming.Watcher of a service.
func (n *Namer) watch(ctx context.Context, key service, set func(naming.State[weft.EndpointSet])) error {
	dc, domain, ok := n.settle(ctx, key.dc, set)
	if !ok {
		return ctx.Err()
	}
	path, params := "/v1/catalog/service/", url.Values{}
	if n.cfg.UseHealthCheck {
		path = "/v1/health/service/"
		params.Set("passing", strconv.FormatBool(n.onlyPassing()))
	}
	if dc != "" {
		params.Set("dc", dc)
	}
	if key.tag != "" {
		params.Set("tag", key.tag)
	}
	n.canaries.Observe(ctx, dc)
	r := reader{n: n, key: key, told: map[string]uint64{}}
	h := newHosts(ctx, n.opts.Resolve, set)
	defer h.close()
	if n.cfg.SetHost {
		h.meta = map[string]string{"authority": authority(key, dc, domain)}
	}
	return poll(ctx, n.agent, question[[]instance]{
		path: path + url.PathEscape(key.name), params: params, mode: n.cfg.ConsistencyMode,
		accepted: []int{http.StatusOK}, read: r.read,
	}, h.update)
}

// settle finds out what the query depends on besides its name: the datacenter, and
// the domain for an authority. It returns false when ctx has ended.
func (n *Namer) settle(ctx context.Context, dc string, set func(naming.State[weft.EndpointSet])) (_, domain string, ok bool) {
	if dc != localDC && !n.cfg.SetHost {
		return dc, "", true
	}
	defer n.agent.pulse.join()()
	trouble := newRetry(n.agent, 0, 0)
	defer trouble.over()
	for ctx.Err() == nil {
		s, err := n.local.get(ctx)
		if s.denied != nil && n.cfg.SetHost {
			err = fmt.Errorf("consul: setHost needs the domain, and so agent:read: %w", s.denied)
		}
		switch {
		case err == nil && dc == localDC:
			return s.dc, s.domain, true // without a datacenter the agent takes its own
		case err == nil:
			return dc, s.domain, true
		case ctx.Err() != nil:
			return "", "", false
		}
		set(naming.Failed[weft.EndpointSet](err))
		trouble.wait(ctx, err)
	}
	return "", "", false
}

// onlyPassing reports whether Consul can leave out by itself what is not wanted.
func (n *Namer) onlyPassing() bool { return len(n.statuses) == 1 && n.statuses[Passing] }

// authority is the service's name in Consul's DNS.
func authority(s service, dc, domain string) string {
	name := s.name + ".service." + dc + "." + domain
	if s.tag != "" {
		name = s.tag + "." + name
	}
	return name
}
