package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/naming/interpreter/namerdhttp"
)

// List returns the namespaces in alphabetical order.
func (c *Client) List(ctx context.Context) ([]string, error) {
	rsp, err := c.Do(ctx, Request{Path: "dtabs", Header: acceptJSON()})
	if err != nil {
		return nil, err
	}
	var names []string
	if err := json.Unmarshal(rsp.Body, &names); err != nil {
		return nil, nonsense("the list of namespaces", err)
	}
	return names, nil
}

// Get returns what is stored under a namespace, the zero Stored if there is none. It
// has no Revision.
func (c *Client) Get(ctx context.Context, namespace string) (namerd.Stored, error) {
	path, err := inDtabs(namespace)
	if err != nil {
		return namerd.Stored{}, err
	}
	rsp, err := c.Do(ctx, Request{Path: path, Header: acceptJSON()})
	switch {
	case errors.Is(err, namerd.ErrMissing):
		return namerd.Stored{}, nil
	case err != nil:
		return namerd.Stored{}, err
	}
	s := namerd.Stored{Exists: true}
	if s.Dtab, err = namerdhttp.ParseDtab(rsp.Body); err != nil {
		return namerd.Stored{}, nonsense("the dtab of "+namespace, err)
	}
	s.Version, err = ParseETag(rsp.Header.Get("ETag"))
	return s, err
}

// History returns the last changes of a namespace, the latest first, at most limit of
// them. ErrNoHistory if the namerd has none.
func (c *Client) History(ctx context.Context, namespace string, limit int) ([]namerd.Change, error) {
	if namespace == "" {
		return nil, errNoNamespace
	}
	rsp, err := c.Do(ctx, Request{
		Path: "history/" + Escape(namespace), Query: url.Values{"limit": {strconv.Itoa(limit)}}, Header: acceptJSON(),
	})
	if failed, ok := errors.AsType[*StatusError](err); ok && failed.Code == http.StatusNotFound {
		return nil, fmt.Errorf("%w: %w", ErrNoHistory, err)
	}
	if err != nil {
		return nil, err
	}
	var changes []namerd.Change
	if err := json.Unmarshal(rsp.Body, &changes); err != nil {
		return nil, nonsense("the history of "+namespace, err)
	}
	return changes, nil
}

// BoundNames returns the ids of all names that the namers of namerd can enumerate.
func (c *Client) BoundNames(ctx context.Context) ([]dtab.Path, error) {
	rsp, err := c.Do(ctx, Request{Path: "bound-names", Header: acceptJSON()})
	if err != nil {
		return nil, err
	}
	var texts []string
	if err := json.Unmarshal(rsp.Body, &texts); err != nil {
		return nil, nonsense("the list of bound names", err)
	}
	names := make([]dtab.Path, 0, len(texts))
	for _, text := range texts {
		if text == "" { // namerd 1.7.5 has one empty name for none
			continue
		}
		p, err := dtab.ParsePath(text)
		if err != nil {
			return nil, nonsense("the list of bound names", err)
		}
		names = append(names, p)
	}
	return names, nil
}

func acceptJSON() http.Header { return http.Header{"Accept": {"application/json"}} }

// errNoNamespace is said here because namerd takes the empty namespace for the list.
var errNoNamespace = &namerd.Error{Is: namerd.ErrInvalid, Detail: errors.New("it is empty")}

func inDtabs(namespace string) (string, error) {
	if namespace == "" {
		return "", errNoNamespace
	}
	return "dtabs/" + Escape(namespace), nil
}

func nonsense(what string, err error) error {
	return fmt.Errorf("namerd's answer makes no sense: %s: %w", what, err)
}
