package consul

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// operation is one of a transaction.
type operation struct {
	Verb  string // set, cas, check-index, delete-cas
	Key   string
	Value []byte `json:",omitempty"`
	Flags uint64 `json:",omitempty"`
	Index uint64 // of cas and delete-cas; 0 is that there must be no key
}

type txnRequest struct{ KV operation }

type txnResponse struct {
	Results []struct{ KV pair }
	Errors  []struct {
		OpIndex int
		What    string
	}
}

// txn makes all operations or none. It returns the index at which it has set a key, or
// false if one of the conditions does not hold.
func (k *client) txn(ctx context.Context, params url.Values, key string, ops ...operation) (index uint64, made bool, err error) {
	requests := make([]txnRequest, len(ops))
	for i, op := range ops {
		requests[i].KV = op
	}
	body, err := json.Marshal(requests)
	if err != nil {
		return 0, false, err
	}
	a, err := k.do(ctx, http.MethodPut, "/v1/txn", params, body)
	if err != nil {
		return 0, false, err
	}
	var resp txnResponse
	if err := json.Unmarshal(a.body, &resp); err != nil {
		return 0, false, fmt.Errorf("%w: PUT /v1/txn: status %d: %w", errGarbled, a.status, err)
	}
	switch a.status {
	case http.StatusOK:
		for _, r := range resp.Results {
			if r.KV.Key == key {
				return r.KV.ModifyIndex, true, nil
			}
		}
		return 0, false, fmt.Errorf("%w: PUT /v1/txn: no result for %s", errGarbled, key)
	case http.StatusConflict:
		for _, e := range resp.Errors {
			switch {
			case strings.Contains(e.What, "Permission denied"):
				return 0, false, &statusError{"PUT /v1/txn", http.StatusForbidden, e.What}
			case strings.Contains(e.What, "too large"):
				return 0, false, &statusError{"PUT /v1/txn", http.StatusRequestEntityTooLarge, e.What}
			case !unmet(e.What):
				return 0, false, fmt.Errorf("PUT /v1/txn: %s", e.What)
			}
		}
		if len(resp.Errors) > 0 {
			return 0, false, nil
		}
		return 0, false, fmt.Errorf("%w: PUT /v1/txn: a conflict without a reason", errGarbled)
	}
	return 0, false, errors.New("PUT /v1/txn: status 404: the agent has no transactions")
}

// unmet reports whether an error of a transaction is that a condition does not hold.
func unmet(what string) bool {
	return strings.Contains(what, "index is stale") || strings.Contains(what, "failed index check") || strings.Contains(what, "doesn't exist")
}
