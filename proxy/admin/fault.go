package admin

import (
	"errors"
	"net/http"
	"strings"
	"unicode/utf16"

	"github.com/weft-mesh/weft/dtab"
)

// Fault is why a request was not answered, for pages that show it at the place. As
// JSON it is {"error":…}, with the place where there is one.
type Fault struct {
	// Message says what is wrong.
	Message string `json:"error"`

	// Field is the member of the request that it is wrong with, "" if it is none.
	Field string `json:"field,omitempty"`

	// Line and Column are the place in the field's text, counted from 1, zero if there
	// is none. Offset is the same place counted from 0 in UTF-16 units, as browsers do.
	Line   int `json:"line,omitempty"`
	Column int `json:"column,omitempty"`
	Offset int `json:"offset,omitempty"`
}

// FaultIn returns the fault of a field whose text has an error, which is found in err
// if it is one of syntax. What goes before the text of err in the message.
func FaultIn(field, what string, err error) Fault {
	f := Fault{Message: what + err.Error(), Field: field}
	if at, ok := errors.AsType[*dtab.SyntaxError](err); ok {
		f.Line, f.Column = at.Line, at.Column
		f.Offset = len(utf16.Encode([]rune(at.Input[:at.Offset])))
	}
	return f
}

// Write answers with the fault as JSON.
func (f Fault) Write(w http.ResponseWriter, status int) {
	body, err := marshal(f)
	if err != nil {
		body = []byte(`{"error":"admin: a fault that cannot be told"}`)
	}
	write(w, status, typeJSON, body)
}

// writeFault answers with the fault as JSON if that is asked for, as text otherwise.
func writeFault(w http.ResponseWriter, r *http.Request, status int, f Fault) {
	if strings.Contains(r.Header.Get("Accept"), typeJSON) {
		f.Write(w, status)
		return
	}
	writeText(w, status, f.Message)
}

// WriteJSON answers with v as JSON, without the escapes that are for scripts in pages.
func WriteJSON(w http.ResponseWriter, v any) { writeJSON(w, typeJSON, v) }

// WriteJSONStatus is WriteJSON with another status than 200.
func WriteJSONStatus(w http.ResponseWriter, status int, v any) {
	body, err := marshal(v)
	if err != nil {
		writeText(w, http.StatusInternalServerError, "admin: "+err.Error())
		return
	}
	write(w, status, typeJSON, body)
}

// ReadJSON reads the JSON object of a POST, whose body must neither be large nor slow,
// into v. If it cannot, it answers and returns false.
func ReadJSON(w http.ResponseWriter, r *http.Request, v any) bool {
	if status, f := readJSON(w, r, v); status != http.StatusOK {
		f.Write(w, status)
		return false
	}
	return true
}
