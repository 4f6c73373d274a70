package dtab

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// SyntaxError says where a text stopped making sense.
type SyntaxError struct {
	Input    string // the whole text
	Offset   int    // where in Input, in bytes; len(Input) at its end
	Line     int    // the same place, counted from 1
	Column   int    // in characters, counted from 1
	Expected string // what was wanted there: 'x' for a character, else words
	Found    string // what was there: 'x', or "end of input"
}

// newSyntaxError fills in what follows from the place.
func newSyntaxError(in string, at int, expected, found string) *SyntaxError {
	before := in[:at]
	return &SyntaxError{
		Input:    in,
		Offset:   at,
		Line:     1 + strings.Count(before, "\n"),
		Column:   1 + utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:]),
		Expected: expected,
		Found:    found,
	}
}

// Error returns Finagle's one-line message, which users know from its HTTP 400
// bodies: it quotes the whole text with the offending character in brackets.
// The result is UTF-8 whatever the text was.
func (e *SyntaxError) Error() string {
	n := 0
	if e.Offset < len(e.Input) {
		_, n = utf8.DecodeRuneInString(e.Input[e.Offset:])
	}
	return strings.ToValidUTF8(e.Expected+" expected but "+e.Found+" found at '"+
		e.Input[:e.Offset]+"["+e.Input[e.Offset:e.Offset+n]+"]"+e.Input[e.Offset+n:]+"'", string(utf8.RuneError))
}

// Position returns the place in words: "line 3, column 12".
func (e *SyntaxError) Position() string {
	return "line " + strconv.Itoa(e.Line) + ", column " + strconv.Itoa(e.Column)
}

// Detail returns the place and the fault without quoting the text, for messages
// about files: "line 3, column 12: '=' expected but 'b' found".
func (e *SyntaxError) Detail() string {
	return e.Position() + ": " + e.Expected + " expected but " + e.Found + " found"
}

// must returns v for callers that vouch for their text.
func must[T any](v T, err error) T {
	if err != nil {
		panic("dtab: " + err.Error()) //nolint:forbidigo // every Must function panics here
	}
	return v
}
