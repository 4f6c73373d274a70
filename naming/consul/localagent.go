package consul

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// localAgent is what the agent says about itself, asked for until it has answered
// and remembered from then on. It is safe for concurrent use.
type localAgent struct {
	c      *client
	asking chan struct{} // holds one token while nobody asks
	self   *self         // guarded by that
}

// self is the part of GET /v1/agent/self that matters.
type self struct {
	dc     string // empty if the token may not know it
	domain string // of Consul's DNS, without dots around it
	denied error
}

func newLocalAgent(c *client) *localAgent {
	l := &localAgent{c: c, asking: make(chan struct{}, 1)}
	l.asking <- struct{}{}
	return l
}

// get returns what the agent says. That the token may not ask for it is an answer,
// too, which is not remembered.
func (l *localAgent) get(ctx context.Context) (self, error) {
	select {
	case <-l.asking:
	case <-ctx.Done():
		return self{}, ctx.Err()
	}
	defer func() { l.asking <- struct{}{} }()
	if l.self != nil {
		return *l.self, nil
	}
	ctx, cancel := context.WithTimeout(ctx, askTimeout)
	defer cancel()
	ctx, _, landed := l.c.pulse.track(ctx)
	defer landed()
	req, err := l.c.request(ctx, http.MethodGet, "/v1/agent/self", nil, nil)
	if err != nil {
		return self{}, err
	}
	var s self
	err = l.c.do(req, func(resp *http.Response) (err error) { s, err = readSelf(resp); return err }, http.StatusOK)
	if refused, ok := errors.AsType[*StatusError](err); ok && refused.Status == http.StatusForbidden {
		return self{denied: err}, nil
	}
	if err != nil {
		return self{}, err
	}
	l.self = &s
	return s, nil
}

// readSelf reads the agent's configuration. Consul 1.0 moved all but a few keys of
// Config to DebugConfig, under new names.
func readSelf(resp *http.Response) (self, error) {
	var body struct {
		Config      struct{ Datacenter, Domain string }
		DebugConfig struct{ DNSDomain string }
	}
	if err := json.NewDecoder(resp.Body).Decode(&body); err != nil {
		return self{}, fmt.Errorf("%w: %w", errGarbled, err)
	}
	s := self{dc: body.Config.Datacenter, domain: body.Config.Domain}
	if s.domain == "" {
		s.domain = body.DebugConfig.DNSDomain
	}
	if s.domain = strings.Trim(s.domain, "."); s.domain == "" {
		s.domain = "consul"
	}
	if s.dc == "" {
		s.dc = localDC
	}
	return s, nil
}
