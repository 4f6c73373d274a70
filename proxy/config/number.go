package config

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"go.yaml.in/yaml/v3"
)

func (d *decoder) integer(n *yaml.Node, path string, f field) (int64, bool) {
	text := n.Value
	i, err := strconv.ParseInt(text, 10, 64)
	if n.Kind != yaml.ScalarNode || n.ShortTag() != "!!int" || err != nil {
		if n.Kind == yaml.ScalarNode && errors.Is(err, strconv.ErrRange) {
			d.report(n, path, text+" is too large")
			return 0, false
		}
		_, notInt := strconv.ParseInt(text, 10, 64)
		if n.ShortTag() == "!!str" && notInt == nil {
			d.wrongType(n, path, "an integer (without quotes)")
			return 0, false
		}
		d.wrongType(n, path, "an integer")
		return 0, false
	}
	d.doc.canonical[n] = i
	if f.port && (i < 0 || i > 65535) {
		d.report(n, path, fmt.Sprintf("%d outside valid range for ports", i))
		return 0, false
	}
	return i, d.rangeOK(n, path, float64(i), f)
}

func (d *decoder) number(n *yaml.Node, path string, f field) (float64, bool) {
	tag := n.ShortTag()
	x, err := strconv.ParseFloat(n.Value, 64)
	if n.Kind != yaml.ScalarNode || tag != "!!int" && tag != "!!float" || err != nil || x-x != 0 {
		_, notNumber := strconv.ParseFloat(n.Value, 64)
		if tag == "!!str" && notNumber == nil {
			d.wrongType(n, path, "a number (without quotes)")
			return 0, false
		}
		d.wrongType(n, path, "a number")
		return 0, false
	}
	d.doc.canonical[n] = x
	return x, d.rangeOK(n, path, x, f)
}

func (d *decoder) rangeOK(n *yaml.Node, path string, x float64, f field) bool {
	if f.inRange(x) {
		return true
	}
	d.report(n, path, fmt.Sprintf("%s is out of range: want %s", n.Value, f.bounds()))
	return false
}

// duration reads an integer in the unit of the field's tag.
func (d *decoder) duration(n *yaml.Node, path string, into *time.Duration, f field) {
	if f.unit == 0 {
		d.report(n, path, "config: a duration needs the tag unit=ms or unit=s")
		return
	}
	if f.min == nil {
		f.min = new(float64)
	}
	i, ok := d.integer(n, path, f)
	if !ok {
		return
	}
	if i > int64(1<<63-1)/int64(f.unit) {
		d.report(n, path, n.Value+" is too large")
		return
	}
	*into = time.Duration(i) * f.unit
}
