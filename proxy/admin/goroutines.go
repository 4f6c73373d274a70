package admin

import (
	"net/http"
	"runtime"
	"slices"
	"strings"
)

// maxDump bounds the text of all goroutines' stacks.
const maxDump = 64 << 20

// dump returns the stacks of all goroutines. The world stands still meanwhile.
func dump() []byte {
	buf := make([]byte, 1<<16)
	for {
		n := runtime.Stack(buf, true)
		if n < len(buf) || len(buf) >= maxDump {
			return buf[:n]
		}
		buf = make([]byte, 2*len(buf))
	}
}

// goroutine is one of a dump, in the form of Twitter-Server's threads.
type goroutine struct {
	ID     string   `json:"-"`
	Thread string   `json:"thread"`
	State  string   `json:"state"`
	Stack  []string `json:"stack"`
}

// goroutines takes a dump apart: "goroutine 1 [select, 2 minutes]:" and two lines
// for each frame.
func goroutines(text string) []goroutine {
	var all []goroutine
	for block := range strings.SplitSeq(strings.TrimSpace(text), "\n\n") {
		head, frames, _ := strings.Cut(block, "\n")
		head, isOne := strings.CutPrefix(head, "goroutine ")
		id, state, _ := strings.Cut(head, " ")
		if !isOne {
			continue
		}
		g := goroutine{ID: id, Thread: "goroutine " + id, State: strings.Trim(state, "[]:"), Stack: []string{}}
		for line := range strings.SplitSeq(frames, "\n") {
			if place, isPlace := strings.CutPrefix(line, "\t"); isPlace && len(g.Stack) > 0 {
				g.Stack[len(g.Stack)-1] += " (" + place + ")"
			} else if line != "" {
				g.Stack = append(g.Stack, line)
			}
		}
		all = append(all, g)
	}
	return all
}

func threads(w http.ResponseWriter, _ *http.Request) { write(w, http.StatusOK, typeText, dump()) }

func threadsJSON(w http.ResponseWriter, _ *http.Request) {
	byID := map[string]goroutine{}
	for _, g := range goroutines(string(dump())) {
		byID[g.ID] = g
	}
	writeJSON(w, typeJSONUTF8, map[string]any{"threads": byID})
}

// contention shows the goroutines that wait for a lock.
func contention(w http.ResponseWriter, _ *http.Request) {
	blocked := []string{}
	for _, g := range goroutines(string(dump())) {
		reason, _, _ := strings.Cut(g.State, ",")
		if strings.HasPrefix(reason, "sync.") || reason == "semacquire" {
			blocked = append(blocked, g.Thread+" ["+g.State+"]\n"+strings.Join(g.Stack, "\n"))
		}
	}
	slices.Sort(blocked)
	writeJSON(w, typeJSONUTF8, map[string]any{"blocked_threads": blocked, "lock_owners": []string{}})
}

// lint has no rules to check: the pages are there for tools that ask.
func lint(w http.ResponseWriter, _ *http.Request) { writeText(w, http.StatusOK, "no issues found\n") }

func lintJSON(w http.ResponseWriter, _ *http.Request) {
	type metadata struct {
		OK     int `json:"num_rules_ok"`
		Failed int `json:"num_rules_failed"`
	}
	writeJSON(w, typeJSONUTF8, map[string]any{"lint_results": map[string]any{
		"metadata": metadata{}, "failed_rules": []string{}, "ok_rules": []string{},
	}})
}
