package policy_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/dtab"
	"github.com/weft-mesh/weft/proxy/config"
	"github.com/weft-mesh/weft/proxy/policy"
	"github.com/weft-mesh/weft/proxy/standard"
	"github.com/weft-mesh/weft/retry"
	"github.com/weft-mesh/weft/transport"
)

func TestBudget(t *testing.T) {
	for name, row := range map[string]struct {
		b    *config.RetryBudget
		want retry.BudgetOptions
	}{
		"none":         {nil, retry.BudgetOptions{}},
		"empty":        {&config.RetryBudget{}, retry.BudgetOptions{}},
		"all":          {&config.RetryBudget{TTL: new(time.Minute), MinRetriesPerSec: new(7), PercentCanRetry: new(1.5)}, retry.BudgetOptions{TTL: time.Minute, MinPerSecond: 7, Ratio: 1.5}},
		"zero is zero": {&config.RetryBudget{MinRetriesPerSec: new(0), PercentCanRetry: new(0.0)}, retry.BudgetOptions{MinPerSecond: retry.None, Ratio: retry.None}},
	} {
		assert.Equal(t, row.want, policy.Budget(row.b), name)
	}
}

// withdrawals counts how much a new budget gives.
func withdrawals(t *testing.T, b *config.RetryBudget) (n int) {
	t.Helper()
	budget, err := retry.NewBudget(policy.Budget(b))
	require.NoError(t, err)
	for n < 1000 && budget.Withdraw() {
		n++
	}
	return n
}

func TestZeroMeansZero(t *testing.T) {
	assert.Equal(t, 100, withdrawals(t, nil), "10 a second for 10 seconds")
	assert.Equal(t, 100, withdrawals(t, &config.RetryBudget{PercentCanRetry: new(0.0)}), "the reserve is left")
	assert.Equal(t, 0, withdrawals(t, &config.RetryBudget{MinRetriesPerSec: new(0)}))
	assert.Equal(t, 0, withdrawals(t, &config.RetryBudget{MinRetriesPerSec: new(0), PercentCanRetry: new(0.0)}))
}

func TestService(t *testing.T) {
	o, err := policy.Service(config.ServicePolicy{})
	require.NoError(t, err)
	assert.Equal(t, transport.ServiceOptions{}, o)
	o, err = policy.Service(config.ServicePolicy{TotalTimeout: new(time.Second), Retries: &config.Retries{}})
	require.NoError(t, err)
	assert.Equal(t, transport.ServiceOptions{TotalTimeout: time.Second}, o)
}

func TestClient(t *testing.T) {
	o, err := policy.Client(config.ClientPolicy{})
	require.NoError(t, err)
	assert.Equal(t, transport.ClientOptions{}, o)
	o, err = policy.Client(config.ClientPolicy{FailFast: new(false), RequestAttemptTimeout: new(time.Duration(0))})
	require.NoError(t, err)
	assert.Equal(t, transport.ClientOptions{}, o)
}

// A part that was not read by the registry that builds it is an error, not a panic.
func TestPartsThatCannotBeBuilt(t *testing.T) {
	_, err := policy.Client(config.ClientPolicy{LoadBalancer: &config.Part{Kind: "x"}})
	require.Error(t, err)
	_, err = policy.Client(config.ClientPolicy{FailureAccrual: &config.Part{Kind: "x"}})
	require.Error(t, err)
	_, err = policy.Service(config.ServicePolicy{Retries: &config.Retries{Backoff: &config.Part{Kind: "x"}}})
	require.Error(t, err)
}

func TestZeroRateTripsNever(t *testing.T) {
	reg, err := standard.Registry()
	require.NoError(t, err)
	cfg, err := config.Load("linkerd.yaml", []byte(`
routers:
- protocol: http
  client: {failureAccrual: {kind: io.l5d.successRate, successRate: 0, requests: 2}}
  servers: [{port: 0}]
`), config.Options{Registry: reg})
	require.NoError(t, err)
	o, err := policy.Client(cfg.Routers[0].Client.For(dtab.MustPath("/a")))
	require.NoError(t, err)
	accrual := o.Accrual.New()
	for range 100 {
		_, trip := accrual.Failure()
		require.False(t, trip, "no rate is below zero")
	}
}
