package k8s

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// errNoList is the error of an answer that is JSON and no list of objects.
var errNoList = errors.New("the answer is not a list of objects")

// objectKey identifies an object of one kind.
type objectKey struct{ namespace, name string }

func (k objectKey) String() string {
	if k.namespace == "" {
		return k.name
	}
	return k.namespace + "/" + k.name
}

// object is one object of the API, reduced to what is of use.
type object[T any] struct {
	key     objectKey
	version string
	v       T

	// problems says what of the object was left out.
	problems []string
}

// metadata is the part of an object's metadata that is of interest. What is not
// named here, managedFields above all, is skipped without being decoded.
type metadata struct {
	Name              string            `json:"name"`
	Namespace         string            `json:"namespace"`
	ResourceVersion   string            `json:"resourceVersion"`
	CreationTimestamp string            `json:"creationTimestamp"`
	Labels            map[string]string `json:"labels"`
	Annotations       map[string]string `json:"annotations"`
}

func objectOf[T any](m metadata, v T) object[T] {
	return object[T]{key: objectKey{m.Namespace, m.Name}, version: m.ResourceVersion, v: v}
}

// identify returns what can be told of an object that cannot be decoded.
func identify(raw []byte) (key objectKey, version string) {
	var o struct {
		Metadata struct {
			Name            any `json:"name"`
			Namespace       any `json:"namespace"`
			ResourceVersion any `json:"resourceVersion"`
		} `json:"metadata"`
	}
	_ = json.Unmarshal(raw, &o) // what it has read until then will do
	name, _ := o.Metadata.Name.(string)
	namespace, _ := o.Metadata.Namespace.(string)
	version, _ = o.Metadata.ResourceVersion.(string)
	return objectKey{namespace, name}, version
}

// readList reads a list, item by item, and returns its version. An answer without
// items is an error: it must not pass for an empty list.
func readList(r io.Reader, item func(raw json.RawMessage)) (version string, err error) {
	dec := json.NewDecoder(r)
	if err := expect(dec, '{'); err != nil {
		return "", err
	}
	listed := false
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return "", err
		}
		switch key {
		case "metadata":
			var m metadata
			if err := dec.Decode(&m); err != nil {
				return "", err
			}
			version = m.ResourceVersion
		case "kind":
			var k string
			if err := dec.Decode(&k); err != nil {
				return "", err
			}
			if !strings.HasSuffix(k, "List") {
				return "", fmt.Errorf("%w but a %q", errNoList, k)
			}
		case "items":
			listed = true
			if err := readItems(dec, item); err != nil {
				return "", err
			}
		default:
			var skipped json.RawMessage
			if err := dec.Decode(&skipped); err != nil {
				return "", err
			}
		}
	}
	if err := expect(dec, '}'); err != nil {
		return "", err
	}
	if !listed {
		return "", errNoList
	}
	return version, nil
}

func readItems(dec *json.Decoder, item func(raw json.RawMessage)) error {
	open, err := dec.Token()
	if err != nil || open == nil {
		return err // null is how Go writes no items
	}
	if open != json.Delim('[') {
		return errNoList
	}
	for dec.More() {
		var raw json.RawMessage
		if err := dec.Decode(&raw); err != nil {
			return err
		}
		item(raw)
	}
	return expect(dec, ']')
}

func expect(dec *json.Decoder, want json.Delim) error {
	switch t, err := dec.Token(); {
	case err != nil:
		return err
	case t != want:
		return errNoList
	default:
		return nil
	}
}

// event is one event of a watch.
type event struct {
	Type   string          `json:"type"`
	Object json.RawMessage `json:"object"`
}
