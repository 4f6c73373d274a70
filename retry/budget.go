package retry

// Budget limits retries to a share of the requests, so that retries cannot
// multiply the load on something that is already failing. Implementations are
// safe for concurrent use and never block for long; one Budget may be shared by
// retries, requeues and hedges.
type Budget interface {
	// Deposit accounts for one request.
	Deposit()

	// Withdraw takes the price of one retry and reports whether it could.
	Withdraw() bool

	// Balance returns how many retries could be withdrawn now.
	Balance() int
}

// Empty is the budget that refuses every retry.
type Empty struct{}

// Deposit implements Budget.
func (Empty) Deposit() {}

// Withdraw implements Budget; it returns false.
func (Empty) Withdraw() bool { return false }

// Balance implements Budget; it returns 0.
func (Empty) Balance() int { return 0 }

// Infinite is the budget that allows every retry.
type Infinite struct{}

// Deposit implements Budget.
func (Infinite) Deposit() {}

// Withdraw implements Budget; it returns true.
func (Infinite) Withdraw() bool { return true }

// Balance implements Budget; it returns 100, the balance of an idle default
// budget, because limits per request are derived from it.
func (Infinite) Balance() int { return 100 }

// WithdrawOnly returns b without its deposits. When two layers share a budget,
// the inner one uses this view, so that a request is deposited once.
func WithdrawOnly(b Budget) Budget { return withdrawOnly{b} }

type withdrawOnly struct{ Budget }

func (withdrawOnly) Deposit() {}
