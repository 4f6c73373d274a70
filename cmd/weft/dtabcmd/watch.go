package dtabcmd

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/namerd"
	"github.com/weft-mesh/weft/namerd/client"
	"github.com/weft-mesh/weft/naming"
)

func (a *app) watch() *cobra.Command {
	return &cobra.Command{
		Use:   "watch [NAME]",
		Short: "Follow the changes of a namespace, or of all of them",
		Long: "Watch says what there is, and then shows every change as a diff, until it is interrupted. It goes on watching while\n" +
			"namerd is away. Of changes that follow each other fast it may show the sum.",
		Example: "  weft dtab watch default\n  weft dtab watch --json",
		RunE: a.online(0, 1, "watch takes at most a name", func(s *session, args []string) error {
			w := &watcher{session: s, seen: map[string]namerd.Stored{}, troubles: map[string]string{}}
			if len(args) == 1 {
				return w.run(args[0])
			}
			return w.run("")
		}),
		ValidArgsFunction: a.completeNamespace,
	}
}

// watcher shows what changes. It is used by one goroutine.
type watcher struct {
	*session
	seen     map[string]namerd.Stored
	troubles map[string]string // by what is watched
}

type watching struct {
	src  weft.Source[naming.State[namerd.Stored]]
	stop context.CancelFunc
}

// run shows changes until the context ends, which is no error.
func (w *watcher) run(only string) error {
	ctx, cancel := context.WithCancel(w.ctx)
	defer cancel()
	all := map[string]watching{}
	var list weft.Source[naming.State[[]string]] = weft.Const[naming.State[[]string]]{V: naming.Ok([]string{only})}
	if only == "" {
		list = w.client.WatchNamespaces(ctx)
	}
	for {
		var signals []<-chan struct{}
		st, stale := list.Load()
		signals = append(signals, stale)
		w.trouble("namespaces", st.Err)
		if st.Known {
			for _, ns := range st.Value {
				if _, known := all[ns]; !known {
					one, stop := context.WithCancel(ctx)
					all[ns] = watching{w.client.Watch(one, ns), stop}
				}
			}
		}
		for _, ns := range sortedKeys(all) {
			s, stale := all[ns].src.Load()
			w.trouble(ns, s.Err)
			if s.Known {
				if err := w.show(ns, s.Value); err != nil {
					return err
				}
			}
			if s.Known && !s.Value.Exists && st.Known && !slices.Contains(st.Value, ns) {
				all[ns].stop() // it was deleted, and is seen again when the list has it
				delete(all, ns)
				continue
			}
			signals = append(signals, stale)
		}
		if naming.Any(ctx, signals) != nil {
			return nil
		}
	}
}

// trouble says what is wrong, once.
func (w *watcher) trouble(what string, err error) {
	text := ""
	if err != nil {
		text = err.Error()
	}
	if w.troubles[what] == text {
		return
	}
	w.troubles[what] = text
	if text == "" {
		text = "well again"
	}
	fmt.Fprintf(w.errs, "weft: %s: %s\n", what, text)
}

// show shows a namespace if it is not what was shown last.
func (w *watcher) show(namespace string, s namerd.Stored) error {
	old, known := w.seen[namespace]
	if known && old.Exists == s.Exists && old.Version == s.Version && old.Dtab.Equal(s.Dtab) {
		return nil
	}
	w.seen[namespace] = s
	now := time.Now()
	if w.json {
		return w.showJSON(namespace, s, now)
	}
	var what string
	switch {
	case !s.Exists && !known:
		what = "does not exist"
	case !s.Exists:
		what = "deleted"
	case !known:
		return w.printf("%s  %s: version %s, %d rules\n", when(now), namespace, orDash(client.ETag(s.Version)), len(s.Dtab))
	case !old.Exists:
		what = "created"
	case old.Dtab.Equal(s.Dtab):
		what = "written again, version " + orDash(client.ETag(s.Version))
	default:
		what = "changed"
	}
	to := label(namespace, s)
	return w.printf("%s  %s: %s\n%s", when(now), namespace, what, diffOf(label(namespace, old), to, old.Dtab, s.Dtab))
}

func (w *watcher) showJSON(namespace string, s namerd.Stored, now time.Time) error {
	event := struct {
		At        time.Time `json:"at"`
		Namespace string    `json:"namespace"`
		Version   string    `json:"version,omitempty"`
		Deleted   bool      `json:"deleted,omitempty"`
		Dtab      *string   `json:"dtab,omitempty"`
	}{At: now.UTC(), Namespace: namespace, Version: client.ETag(s.Version), Deleted: !s.Exists}
	if s.Exists {
		text := s.Dtab.Exact()
		event.Dtab = &text
	}
	enc := json.NewEncoder(w.out)
	enc.SetEscapeHTML(false)
	return enc.Encode(event)
}

func sortedKeys(all map[string]watching) []string {
	names := make([]string, 0, len(all))
	for ns := range all {
		names = append(names, ns)
	}
	slices.Sort(names)
	return names
}
