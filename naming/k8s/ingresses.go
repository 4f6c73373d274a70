package k8s

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/weft-mesh/weft"
	"github.com/weft-mesh/weft/naming"
)

// Ingresses is the table of all ingresses: a weft.Source whose value changes with
// the cluster. It is pending until the first list was read, and keeps the last table,
// marked stale, while there is no newer one. It is safe for concurrent use. Close
// it.
type Ingresses struct {
	client    *Client
	release   func() error
	namespace string
	wantCerts bool
	cancel    context.CancelFunc
	done      chan struct{}

	table weft.Var[naming.State[Table]]
	certs weft.Var[naming.State[[]Certificate]]
}

// NewIngresses watches the ingresses. It does not wait for them.
func NewIngresses(c IngressConfig, o Options) (*Ingresses, error) {
	if c.Namespace != "" && !isNamespace(c.Namespace) {
		return nil, fmt.Errorf("k8s: namespace: %q is not the name of a namespace", c.Namespace)
	}
	client, release, err := clientOf(c.Access, o)
	if err != nil {
		return nil, err
	}
	i := &Ingresses{client: client, release: release, namespace: c.Namespace, wantCerts: o.Certificates, done: make(chan struct{})}
	if !i.wantCerts {
		i.certs.Store(naming.Ok[[]Certificate](nil))
	}
	ctx, cancel := context.WithCancel(context.Background())
	i.cancel = cancel
	go i.run(ctx)
	return i, nil
}

// Load implements weft.Source.
func (i *Ingresses) Load() (naming.State[Table], <-chan struct{}) { return i.table.Load() }

// Certificates returns the certificates that ingresses name, sorted by namespace
// and secret. Secrets that are missing, forbidden or of another type are left out; the
// state is then marked stale with the reason. Without Options.Certificates there
// are none.
func (i *Ingresses) Certificates() weft.Source[naming.State[[]Certificate]] { return &i.certs }

// Watches implements naming.Reporter.
func (i *Ingresses) Watches() []naming.WatchStatus {
	return slices.Concat(i.client.certificates.Watches(), i.client.classes.Watches(), i.client.ingresses.Watches())
}

// Close ends the watches and waits for them. The table stands still.
func (i *Ingresses) Close() error {
	i.cancel()
	<-i.done
	return i.release()
}

func (i *Ingresses) run(ctx context.Context) {
	defer close(i.done)
	c := i.client
	ingresses := c.ingresses.feed(ctx, c.ingresses.in(i.namespace, ""), "")
	defer ingresses.close()
	classes := c.classes.feed(ctx, c.classes.in("", ""), "")
	defer classes.close()
	secrets := secretFollower{c: c, following: map[objectKey]*feed[certificate]{}}
	defer secrets.close()
	var previous naming.State[[]object[Ingress]]
	var previousClasses []object[IngressClass]
	for {
		var signals []<-chan struct{}
		all, known := ingresses.read(&signals), classes.read(&signals)
		changed := all.Known != previous.Known || !sameText(all.Err, previous.Err) || !sameSlice(all.Value, previous.Value) ||
			!sameSlice(known.Value, previousClasses)
		switch {
		case all.Pending(), all.Known && known.Pending():
		case !all.Known:
			if changed {
				i.table.Store(naming.Failed[Table](all.Err))
			}
			previous = all
		default:
			if changed {
				i.table.Store(tableOf(all, known.Value))
			}
			previous, previousClasses = all, known.Value
		}
		if i.wantCerts && all.Known {
			i.certify(ctx, &secrets, all.Value, &signals)
		}
		if naming.Any(ctx, signals) != nil {
			return
		}
	}
}

// sameSlice reports whether a and b are one slice; stores never write to theirs.
func sameSlice[T any](a, b []T) bool {
	return len(a) == len(b) && (len(a) == 0 || &a[0] == &b[0])
}

func tableOf(all naming.State[[]object[Ingress]], classes []object[IngressClass]) naming.State[Table] {
	t := Table{Ingresses: make([]Ingress, len(all.Value)), Classes: make([]IngressClass, len(classes))}
	for n, o := range all.Value {
		t.Ingresses[n] = o.v
	}
	for n, o := range classes {
		t.Classes[n] = o.v
	}
	return naming.State[Table]{Value: t, Known: true, Err: all.Err, Version: all.Version}
}

// certify publishes the certificates that the ingresses name.
func (i *Ingresses) certify(ctx context.Context, f *secretFollower, all []object[Ingress], signals *[]<-chan struct{}) {
	next, ok := f.read(ctx, all, signals)
	last, _ := i.certs.Load()
	if !ok || last.Known == next.Known && sameText(last.Err, next.Err) && slices.EqualFunc(last.Value, next.Value, Certificate.equal) {
		return
	}
	i.certs.Store(next)
}

func sameText(a, b error) bool {
	return (a == nil) == (b == nil) && (a == nil || a.Error() == b.Error())
}

// secretFollower reads the secrets that ingresses name. It is for one goroutine.
type secretFollower struct {
	c         *Client
	following map[objectKey]*feed[certificate]
}

// read returns the certificates, and false while some have not been asked for yet.
func (f *secretFollower) read(ctx context.Context, all []object[Ingress], signals *[]<-chan struct{}) (naming.State[[]Certificate], bool) {
	hosts := map[objectKey][]string{}
	for _, o := range all {
		for _, t := range o.v.TLS {
			if t.Secret != "" {
				k := objectKey{o.v.Namespace, t.Secret}
				hosts[k] = append(hosts[k], t.Hosts...)
			}
		}
	}
	for k, feed := range f.following {
		if _, ok := hosts[k]; !ok {
			feed.close()
			delete(f.following, k)
		}
	}
	state, complete := naming.State[[]Certificate]{Known: true}, true
	var problems []error
	for k, names := range hosts {
		feed, ok := f.following[k]
		if !ok {
			feed = f.c.certificates.feed(ctx, f.c.certificates.in(k.namespace, k.name), k.name)
			f.following[k] = feed
		}
		s := feed.read(signals)
		complete = complete && !s.Pending()
		switch {
		case s.Err != nil:
			problems = append(problems, s.Err)
		case s.Known && len(s.Value) == 0:
			problems = append(problems, fmt.Errorf("k8s: there is no secret %s", k))
		}
		if len(s.Value) > 0 {
			slices.Sort(names)
			state.Value = append(state.Value, Certificate{
				Namespace: k.namespace, Secret: k.name, Hosts: slices.Compact(names), Certificate: s.Value[0].v.pair,
			})
		}
	}
	slices.SortFunc(state.Value, func(a, b Certificate) int { return compareKeys(a.Namespace, a.Secret, b.Namespace, b.Secret) })
	slices.SortFunc(problems, func(a, b error) int { return strings.Compare(a.Error(), b.Error()) })
	state.Err = errors.Join(problems...)
	return state, complete
}

func (f *secretFollower) close() {
	for _, feed := range f.following {
		feed.close()
	}
}
