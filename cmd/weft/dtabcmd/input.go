package dtabcmd

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"github.com/weft-mesh/weft/dtab"
)

// input is a dtab that was read from a file.
type input struct {
	name    string // of the file
	dtab    dtab.Dtab
	version string // what a document says

	// body is what is sent: text as it is, anything else as JSON.
	body        []byte
	contentType string
}

// readInput reads a file; "-" is in.
func readInput(in io.Reader, file string) (*input, error) {
	name := file
	var b []byte
	var err error
	switch file {
	case "":
		return nil, usagef("empty dtab path")
	case "-":
		name = "stdin"
		b, err = io.ReadAll(in)
	default:
		b, err = os.ReadFile(file)
	}
	if err != nil {
		return nil, usagef("%w", err)
	}
	parsed, err := parseInput(name, b)
	if err != nil {
		return nil, usagef("%w", err)
	}
	parsed.name = name
	return parsed, nil
}

// parseInput reads a dtab as JSON or YAML if the name of the file or the first
// character says so, as text otherwise. Errors begin with FILE:LINE:COLUMN.
func parseInput(name string, b []byte) (*input, error) {
	first := strings.TrimLeft(string(b), " \t\r\n")
	switch ext := filepath.Ext(name); {
	case ext == ".yaml", ext == ".yml":
		return parseYAML(name, b)
	case ext == ".json", strings.HasPrefix(first, "{"), strings.HasPrefix(first, "["):
		return parseJSON(name, b)
	}
	d, err := dtab.Parse(string(b))
	if bad, ok := errors.AsType[*dtab.SyntaxError](err); ok {
		return nil, placed(name, bad.Line, bad.Column, "%s expected but %s found", bad.Expected, bad.Found)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return &input{dtab: d, body: b, contentType: "application/dtab"}, nil
}

func placed(name string, line, column int, format string, args ...any) error {
	return fmt.Errorf("%s:%d:%d: %s", name, line, column, fmt.Sprintf(format, args...))
}

// parseJSON reads a list of rules or an object with one.
func parseJSON(name string, b []byte) (*input, error) {
	at := func(offset int64, format string, args ...any) error {
		before := b[:min(int(offset), len(b))]
		column := 1 + utf8.RuneCount(before[bytes.LastIndexByte(before, '\n')+1:])
		return placed(name, 1+bytes.Count(before, []byte("\n")), column, format, args...)
	}
	dec := json.NewDecoder(bytes.NewReader(b))
	var whole json.RawMessage
	if err := dec.Decode(&whole); err != nil {
		if bad, ok := errors.AsType[*json.SyntaxError](err); ok {
			return nil, at(bad.Offset-1, "%v", err)
		}
		return nil, at(int64(len(b)), "%v", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, at(dec.InputOffset(), "there is something after the end of the JSON document")
	}
	skipped := bytes.Index(b, whole)
	list, version, start, err := rulesOf(whole)
	if err != nil {
		return nil, at(int64(skipped), "%v", err)
	}
	return parseList(list, version, func(in int64, format string, args ...any) error {
		return at(int64(skipped)+start+in, format, args...)
	})
}

// rulesOf returns the list of rules in a document, and where it begins in it.
func rulesOf(whole json.RawMessage) (list json.RawMessage, version string, start int64, err error) {
	if whole[0] == '[' {
		return whole, "", 0, nil
	}
	var doc struct {
		Version string          `json:"version"`
		Dtab    json.RawMessage `json:"dtab"`
	}
	if err := json.Unmarshal(whole, &doc); err != nil {
		return nil, "", 0, err
	}
	if len(doc.Dtab) == 0 || doc.Dtab[0] != '[' {
		return nil, "", 0, errors.New(`want a list of rules, or an object with such a list as "dtab"`)
	}
	return doc.Dtab, doc.Version, int64(bytes.Index(whole, doc.Dtab)), nil
}

// parseList reads rules one by one so as to know where each is.
func parseList(list json.RawMessage, version string, at func(offset int64, format string, args ...any) error) (*input, error) {
	dec := json.NewDecoder(bytes.NewReader(list))
	if _, err := dec.Token(); err != nil {
		return nil, at(0, "%v", err)
	}
	doc := document{Dtab: []*rule{}}
	var d dtab.Dtab
	for dec.More() {
		var raw json.RawMessage
		if err := dec.Decode(&raw); err != nil {
			return nil, at(dec.InputOffset(), "%v", err)
		}
		place := dec.InputOffset() - int64(len(raw))
		var r *rule
		if err := json.Unmarshal(raw, &r); err != nil {
			return nil, at(place, "%v", err)
		}
		e, err := r.parse()
		if err != nil {
			return nil, at(place, "rule %d: %v", len(d)+1, err)
		}
		d = append(d, e)
		doc.Dtab = append(doc.Dtab, r)
	}
	return structured(d, doc, version)
}

func structured(d dtab.Dtab, doc document, version string) (*input, error) {
	body, err := json.Marshal(doc.Dtab)
	if err != nil {
		return nil, err
	}
	return &input{dtab: d, version: version, body: body, contentType: "application/json"}, nil
}

func (r *rule) parse() (dtab.Dentry, error) {
	if r == nil {
		return dtab.Dentry{}, errors.New("it is null")
	}
	prefix, err := dtab.ParsePrefix(r.Prefix)
	if err != nil {
		return dtab.Dentry{}, fmt.Errorf("prefix: %w", err)
	}
	dst, err := dtab.ParseTree(r.Dst)
	if err != nil {
		return dtab.Dentry{}, fmt.Errorf("dst: %w", err)
	}
	return dtab.Dentry{Prefix: prefix, Dst: dst}, nil
}
