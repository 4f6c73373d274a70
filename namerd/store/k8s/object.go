package k8s

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/namerd"
)

const (
	api        = "/apis/l5d.io/v1alpha1"
	plural     = "dtabs"
	annotation = "weft.io/history"
)

// object is a DTab.
type object struct {
	name    string
	uid     string
	version string // resourceVersion
	history string // the annotation
	dtab    dtab.Dtab
	bad     error // why it holds no dtab
}

type metadata struct {
	Name            string            `json:"name"`
	UID             string            `json:"uid"`
	ResourceVersion string            `json:"resourceVersion"`
	Annotations     map[string]string `json:"annotations"`
}

// dentry is a rule as objects have it.
type dentry struct {
	Prefix string `json:"prefix"`
	Dst    string `json:"dst"`
}

// decode reads an object. One that holds no dtab is an object all the same.
func decode(raw []byte) (object, error) {
	var w struct {
		Metadata metadata        `json:"metadata"`
		Dentries json.RawMessage `json:"dentries"`
	}
	if err := json.Unmarshal(raw, &w); err != nil {
		return object{}, err
	}
	o := object{
		name: w.Metadata.Name, uid: w.Metadata.UID, version: w.Metadata.ResourceVersion, history: w.Metadata.Annotations[annotation],
	}
	if o.name == "" || o.version == "" {
		return object{}, errors.New("it has no name or no resourceVersion")
	}
	o.dtab, o.bad = readDentries(w.Dentries)
	return o, nil
}

// readDentries returns the rules of an object.
func readDentries(raw json.RawMessage) (dtab.Dtab, error) {
	var list []dentry
	if len(raw) > 0 {
		if err := json.Unmarshal(raw, &list); err != nil {
			return nil, fmt.Errorf("dentries: they are no list of prefix and dst: %w", err)
		}
	}
	d := make(dtab.Dtab, len(list))
	for i, e := range list {
		var err error
		if d[i].Prefix, err = dtab.ParsePrefix(e.Prefix); err != nil {
			return nil, fmt.Errorf("dentries[%d]: prefix: %q: %w", i, e.Prefix, err)
		}
		if d[i].Dst, err = dtab.ParseTree(e.Dst); err != nil {
			return nil, fmt.Errorf("dentries[%d]: dst: %q: %w", i, e.Dst, err)
		}
	}
	return d, nil
}

// writeDentries is the inverse of readDentries.
func writeDentries(d dtab.Dtab) []dentry {
	list := make([]dentry, len(d))
	for i, e := range d {
		list[i] = dentry{Prefix: e.Prefix.String(), Dst: dtab.ExactTree(e.Dst)}
	}
	return list
}

// edited returns the JSON of an object with another dtab and history, and everything
// else as it is.
func edited(raw json.RawMessage, d dtab.Dtab, history string) ([]byte, error) {
	var top, meta map[string]json.RawMessage
	notes := map[string]string{}
	if err := json.Unmarshal(raw, &top); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(top["metadata"], &meta); err != nil {
		return nil, err
	}
	if a := meta["annotations"]; len(a) > 0 {
		if err := json.Unmarshal(a, &notes); err != nil {
			return nil, err
		}
	}
	if notes == nil { // it was null
		notes = map[string]string{}
	}
	notes[annotation] = history
	var err error
	for _, part := range []struct {
		of  map[string]json.RawMessage
		key string
		v   any
	}{{meta, "annotations", notes}, {top, "dentries", writeDentries(d)}} {
		if part.of[part.key], err = json.Marshal(part.v); err != nil {
			return nil, err
		}
	}
	delete(meta, "managedFields") // the server keeps them
	if top["metadata"], err = json.Marshal(meta); err != nil {
		return nil, err
	}
	// In a list, objects do not say what they are.
	top["apiVersion"], top["kind"] = json.RawMessage(`"l5d.io/v1alpha1"`), json.RawMessage(`"DTab"`)
	return json.Marshal(top)
}

// number returns a resourceVersion as a number, 0 if it is none.
func number(version string) uint64 {
	n, err := strconv.ParseUint(version, 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// stored returns what a namespace has.
func (o object) stored(of string) namerd.Stored {
	return namerd.Stored{
		Exists: true, Dtab: o.dtab, Version: namerd.Version(o.version), Revision: namerd.Revision{Of: of, N: number(o.version)},
	}
}
