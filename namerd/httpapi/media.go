package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/weft-mesh/weft/dtab"
)

// media is a form of dtabs: application/json, or application/dtab and text/plain,
// which are the same.
type media string

const (
	mediaJSON media = "application/json"
	mediaDtab media = "application/dtab"
	mediaText media = "text/plain"
)

// parseMedia returns the media type in an element of Accept or in Content-Type,
// whose parameters do not count.
func parseMedia(s string) (media, bool) {
	s, _, _ = strings.Cut(s, ";")
	switch m := media(strings.ToLower(strings.TrimSpace(s))); m {
	case mediaJSON, mediaDtab, mediaText:
		return m, true
	}
	return mediaJSON, false
}

// accepted returns the first form that the client takes, JSON if it names none.
func accepted(h http.Header) media {
	for _, line := range h.Values("Accept") {
		for one := range strings.SplitSeq(line, ",") {
			if m, ok := parseMedia(one); ok {
				return m
			}
		}
	}
	return mediaJSON
}

type rule struct {
	Prefix string `json:"prefix"`
	Dst    string `json:"dst"`
}

// show returns d and a newline.
func (m media) show(d dtab.Dtab) string {
	if m != mediaJSON {
		return d.Exact() + "\n"
	}
	rules := make([]rule, len(d))
	for i, e := range d {
		rules[i] = rule{e.Prefix.String(), dtab.ExactTree(e.Dst)}
	}
	return showJSON(rules)
}

// showJSON returns v, of which encoding/json can show everything, and a newline.
func showJSON(v any) string {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false) // the & of unions stays what it is
	_ = enc.Encode(v)
	return b.String()
}

// errNullRule says that a list of rules has a null in it, of which namerd 1.7.5 says
// something else than of other mistakes.
var errNullRule = errors.New("the dtab contains a null")

// parse reads a dtab.
func (m media) parse(text []byte) (dtab.Dtab, error) {
	if m != mediaJSON {
		return dtab.Parse(string(text))
	}
	var rules *[]*struct {
		Prefix *dtab.Prefix `json:"prefix"`
		Dst    *string      `json:"dst"`
	}
	if err := json.Unmarshal(text, &rules); err != nil {
		return nil, fmt.Errorf(`the dtab has to be like [{"prefix":"/svc","dst":"/#/fs"}]: %w`, err)
	}
	if rules == nil {
		return nil, errors.New("the dtab has to be an array, not null")
	}
	d := make(dtab.Dtab, 0, len(*rules))
	for i, r := range *rules {
		switch {
		case r == nil:
			return nil, errNullRule
		case r.Prefix == nil || r.Dst == nil:
			return nil, fmt.Errorf("rule %d has to have a prefix and a dst", i)
		}
		dst, err := dtab.ParseTree(*r.Dst)
		if err != nil {
			return nil, fmt.Errorf("the dst of rule %d: %w", i, err)
		}
		d = append(d, dtab.Dentry{Prefix: *r.Prefix, Dst: dst})
	}
	return d, nil
}
