// Package retry decides whether a failed attempt is made again: how often
// (Budget), how soon (Backoff), and by whose account.
//
// There are two accounts. An outcome that a classifier calls weft.Retryable is
// retried on the account of the service (Policy.Budget), after a backoff. An
// error that says that nothing reached the endpoint (weft.Error.Unsent) is
// requeued at once on the account of the client, the cluster that was picked
// (Client.Budget), whatever the method of the request. Do is the one loop that
// does both. An outcome that exhausted its requeues is not retried by the
// service as well, so that the two do not multiply.
//
// The rules are those of Finagle's RetryBudget, RequeueFilter and RetryFilter;
// where this package differs, the name concerned says so.
package retry
