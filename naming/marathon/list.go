package marathon

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/weft-mesh/weft/dtab"
)

// errGarbled is in the chain of the error of an answer that Marathon does not
// give.
var errGarbled = errors.New("unintelligible answer")

// appIDs are the ids of all apps, in lower case.
type appIDs map[dtab.Path]bool

// String is the answer in the status of the watch.
func (ids appIDs) String() string {
	if len(ids) == 1 {
		return "1 app"
	}
	return fmt.Sprintf("%d apps", len(ids))
}

// shortest returns the number of elements of the shortest prefix of p that is an
// app; 0 if none is.
func (ids appIDs) shortest(p dtab.Path) int {
	for i := 1; len(ids) > 0 && i <= p.Len(); i++ {
		if ids[p.Take(i)] {
			return i
		}
	}
	return 0
}

// decodeList reads an answer of /v2/apps. What is left out of it is in bad.
func decodeList(body []byte) (ids appIDs, bad []malformed, err error) {
	var answer struct {
		Apps *[]json.RawMessage `json:"apps"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return nil, nil, fmt.Errorf("%w: %w", errGarbled, err)
	}
	if answer.Apps == nil {
		return nil, nil, fmt.Errorf(`%w: want an object with "apps"`, errGarbled)
	}
	ids = make(appIDs, len(*answer.Apps))
	for _, raw := range *answer.Apps {
		var app struct {
			ID string `json:"id"`
		}
		err := json.Unmarshal(raw, &app)
		var id dtab.Path
		if err == nil {
			id, err = parseID(app.ID)
		}
		if err != nil {
			bad = append(bad, malformed{name: app.ID, raw: raw, err: err})
			continue
		}
		ids[id] = true
	}
	if len(ids) == 0 && len(bad) > 0 {
		return nil, bad, fmt.Errorf("%w: none of %d apps can be understood: %w", errGarbled, len(bad), bad[0].err)
	}
	return ids, bad, nil
}

// parseID returns the id of an app as a path in lower case.
func parseID(id string) (dtab.Path, error) {
	rest, ok := strings.CutPrefix(id, "/")
	if !ok || rest == "" {
		return dtab.Path{}, fmt.Errorf("id %q: want /name or /group/name", id)
	}
	elems := strings.Split(strings.ToLower(rest), "/")
	for _, e := range elems {
		if e == "" || e == "." || e == ".." {
			return dtab.Path{}, fmt.Errorf("id %q: has an element %q", id, e)
		}
	}
	return dtab.PathOf(elems...)
}
