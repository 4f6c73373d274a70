package main

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestRun(t *testing.T) {
	var out bytes.Buffer
	require.NoError(t, run(t.Context(), &out))
	assert.Regexp(t, `^GET http://users/ 30 times: 30 answers, all 200 OK
meanwhile the broken endpoint answered 500 [1-9]\d* time\(s\); its requests were sent again
with /svc/users => /svc/users-v2 in its context: hello from users-v2
without it: hello from users
$`, out.String())
}
