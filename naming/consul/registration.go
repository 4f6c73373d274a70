package consul

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/netip"
	"net/url"
)

// registration is an instance as PUT /v1/agent/service/register wants it.
type registration struct {
	ID      string
	Name    string
	Address string
	Port    uint16
	Tags    []string `json:",omitempty"`
	Check   ttlCheck
}

type ttlCheck struct {
	CheckID                        string
	Name                           string
	TTL                            string
	Status                         string
	DeregisterCriticalServiceAfter string
}

func newRegistration(service string, addr netip.AddrPort, tags []string) registration {
	id := fmt.Sprintf("weft-%s-%s", service, addr)
	return registration{
		ID: id, Name: service, Address: addr.Addr().Unmap().String(), Port: addr.Port(), Tags: tags,
		Check: ttlCheck{
			CheckID: "service:" + id, Name: "announced by weft", TTL: checkTTL.String(), Status: string(Passing),
			DeregisterCriticalServiceAfter: forgetAfter.String(),
		},
	}
}

// keep registers the instance and says that it is passing, until ctx ends.
func (r registration) keep(ctx context.Context, c *client) {
	defer c.pulse.join()()
	trouble := newRetry(c, 0, 0)
	defer trouble.over()
	registered := false
	for ctx.Err() == nil {
		var err error
		if !registered {
			err = c.call(ctx, http.MethodPut, "/v1/agent/service/register", url.Values{"replace-existing-checks": {"true"}}, r)
		} else {
			err = c.call(ctx, http.MethodPut, "/v1/agent/check/pass/"+url.PathEscape(r.Check.CheckID), nil, nil)
			// The agent has lost the instance, or never had it: a new one on its address.
			if s, refused := errors.AsType[*StatusError](err); refused && s.Status != http.StatusForbidden {
				registered = false
				continue
			}
		}
		if err != nil {
			if ctx.Err() == nil {
				trouble.wait(ctx, err)
			}
			continue
		}
		trouble.over()
		registered = true
		trouble.rest(ctx, checkTTL/4+rand.N(checkTTL/8))
	}
}

// withdraw removes the instance, and tries until ctx ends.
func (r registration) withdraw(ctx context.Context, c *client) error {
	defer c.pulse.join()()
	trouble := newRetry(c, 0, 0)
	defer trouble.over()
	for {
		err := c.call(ctx, http.MethodPut, "/v1/agent/service/deregister/"+url.PathEscape(r.ID), nil, nil)
		if err == nil {
			return nil
		}
		if s, refused := errors.AsType[*StatusError](err); refused && s.Status == http.StatusNotFound {
			return nil // the agent has lost it, or never had it
		}
		if ctx.Err() != nil {
			return fmt.Errorf("consul: %s is not withdrawn, and will be critical after %v: %w", r.ID, checkTTL, err)
		}
		trouble.wait(ctx, err)
		if ctx.Err() != nil {
			return fmt.Errorf("consul: %s is not withdrawn, and will be critical after %v: %w", r.ID, checkTTL, err)
		}
	}
}
