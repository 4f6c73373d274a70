package remote

import (
	"context"
	"errors"

	"github.com/weft-mesh/weft/naming"
)

// ask puts one question to a session, as Session.Tree does.
type ask[T any] func(ctx context.Context, s Session, set func(naming.State[T])) error

// follow asks as often as it takes to keep the answer up to date, until ctx ends.
func follow[T any](ctx context.Context, in *Interpreter, what string, a ask[T], set func(naming.State[T])) {
	slow := backoff{base: in.conf.RetryBase, limit: in.conf.RetryMax}
	quick := backoff{base: redialMin, limit: redialMax}
	logged := ""
	unreachable := func(err error) { set(naming.Failed[T](&UnreachableError{err})) }
	for {
		s, err := in.link.session(ctx, unreachable)
		if err != nil {
			return
		}
		lost, err := once(ctx, s, a, func(st naming.State[T]) {
			if st.Known && st.Err == nil {
				slow.reset()
				quick.reset()
				logged = ""
			}
			set(st)
		})
		switch {
		case ctx.Err() != nil:
			return
		case err == nil:
			pause(ctx, quick.next())
		case lost:
			unreachable(err)
			if s.Context().Err() == nil {
				pause(ctx, quick.next())
			}
		default:
			if err.Error() != logged {
				logged = err.Error()
				in.opts.Logger.Warn("namerd answers with an error", "to", what, "err", err)
			}
			set(naming.Failed[T](&naming.AnswerError{Err: err}))
			pause(ctx, slow.next(), s.Context().Done(), s.Stirred())
		}
	}
}

// once puts a question to a session until that ends. lost means that the error is
// not namerd's answer.
func once[T any](ctx context.Context, s Session, a ask[T], set func(naming.State[T])) (lost bool, err error) {
	within, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.Context(), cancel)()
	err = a(within, s, set)
	if s.Context().Err() != nil {
		return true, context.Cause(s.Context())
	}
	var cut *CutError
	return errors.As(err, &cut), err
}
