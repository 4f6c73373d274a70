package marathon

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/weft-mesh/weft/dtab"
)

// docs are answers as the documentation of Marathon has them, shortened.
const (
	appsDoc = `{"apps":[
		{"id":"/foo","cmd":null,"labels":{"LABEL_FOO":"BAR"},"instances":3,"ports":[10000],"upgradeStrategy":{"minimumHealthCapacity":1.0}},
		{"id":"/Group/bar","cmd":"bar cmd","container":null},
		{"id":"/foo","cmd":null}]}`

	hostDoc = `{"app":{"id":"/foo","cmd":"foo cmd","args":null,"user":null,"env":{},"instances":2,"cpus":0.1,"version":"2014-09-25T02:26:59.256Z",
		"tasksStaged":0,"tasksRunning":2,"healthChecks":[{"path":"/health","protocol":"HTTP","portIndex":0,"intervalSeconds":2}],"tasks":[
		{"id":"foo_1","host":"1.2.3.4","ports":[31045,31046],"startedAt":"2014-09-25T02:27:01.009Z","stagedAt":"2014-09-25T02:26:59.300Z","version":"2014-09-25T02:26:59.256Z",
			"state":"TASK_RUNNING","slaveId":"s0","healthCheckResults":[{"alive":true,"consecutiveFailures":0,"firstSuccess":"2014-09-25T02:27:03.0Z","taskId":"foo_1"}]},
		{"id":"foo_2","host":"agent-2.mesos","ports":[31671],"state":"TASK_RUNNING","healthCheckResults":[{"alive":false,"consecutiveFailures":3}]},
		{"id":"foo_3","host":"1.2.3.6","ports":[31672],"state":"TASK_STAGING","healthCheckResults":[{"alive":true}]},
		{"id":"foo_4","host":"1.2.3.7","ports":[31673],"state":"TASK_RUNNING","healthCheckResults":[null]},
		{"id":"foo_5","host":"1.2.3.8","ports":[31674],"state":"TASK_RUNNING"},
		{"id":"foo_6","host":"1.2.3.9","ports":[],"state":"TASK_RUNNING"},
		{"id":"foo_7","host":"::1","ports":[31675],"state":"TASK_KILLING"}]}}`

	discoveryDoc = `{"app":{"id":"/foo","ipAddress":{"groups":[],"labels":{},"discovery":{"ports":[{"number":8080,"name":"http","protocol":"tcp"},{"number":9090,"name":"admin"}]},"networkName":"dcos"},"tasks":[
		{"id":"foo_1","host":"1.2.3.4","ports":[31045],"ipAddresses":[{"ipAddress":"9.0.0.1","protocol":"IPv4"},{"ipAddress":"fd01::1","protocol":"IPv6"}],"state":"TASK_RUNNING"},
		{"id":"foo_2","host":"1.2.3.5","ports":[31046],"ipAddresses":[],"state":"TASK_STAGING"},
		{"id":"foo_3","host":"1.2.3.6","ports":[],"ipAddresses":[{"ipAddress":"fd01::2","protocol":"IPv6"}],"state":"TASK_RUNNING"}]}}`

	noDiscoveryDoc = `{"app":{"id":"/foo","ipAddress":{"discovery":{"ports":[]}},"tasks":[
		{"id":"foo_1","host":"1.2.3.4","ports":[31045],"ipAddresses":[{"ipAddress":"9.0.0.1"}],"state":"TASK_RUNNING"}]}}`

	malformedDoc = `{"app":{"id":"/foo","tasks":[7,null,{"id":"a","host":5},{"id":"b","host":"1.2.3.4","ports":[-1]},{"id":"c","host":"1.2.3.4","ports":[80]}]}}`
)

func shown(targets []target) string {
	var out []string
	for _, t := range targets {
		host := t.host
		if t.ip.IsValid() {
			host = "ip " + t.ip.String()
		}
		out = append(out, fmt.Sprintf("%s %d", host, t.port))
	}
	return strings.Join(out, ", ")
}

func TestDecodeApp(t *testing.T) {
	for name, c := range map[string]struct {
		doc     string
		healthy bool
		want    string
		bad     int
	}{
		"hosts":             {hostDoc, false, "ip 1.2.3.4 31045, agent-2.mesos 31671, ip 1.2.3.6 31672, ip 1.2.3.7 31673, ip 1.2.3.8 31674, ip ::1 31675", 0},
		"hosts, healthy":    {hostDoc, true, "ip 1.2.3.4 31045", 0},
		"no checks at all":  {strings.Replace(hostDoc, `"healthChecks"`, `"x"`, 1), true, "ip 1.2.3.4 31045, agent-2.mesos 31671, ip 1.2.3.7 31673, ip 1.2.3.8 31674", 0},
		"two checks":        {strings.Replace(hostDoc, `"healthChecks":[`, `"healthChecks":[{},`, 1), true, "", 0},
		"discovery":         {discoveryDoc, false, "ip 9.0.0.1 8080, ip fd01::2 8080", 0},
		"discovery, health": {discoveryDoc, true, "ip 9.0.0.1 8080, ip fd01::2 8080", 0},
		"no discovery":      {noDiscoveryDoc, false, "ip 1.2.3.4 31045", 0},
		"malformed":         {malformedDoc, false, "ip 1.2.3.4 80", 4},
	} {
		a, err := decodeApp([]byte(c.doc), dtab.MustPath("/foo"), c.healthy)
		require.NoError(t, err, name)
		assert.Equal(t, c.want, shown(a.targets), name)
		assert.Len(t, a.bad, c.bad, name)
	}
}

func TestDecodeList(t *testing.T) {
	ids, bad, err := decodeList([]byte(appsDoc))
	require.NoError(t, err)
	assert.Empty(t, bad)
	assert.Equal(t, appIDs{dtab.MustPath("/foo"): true, dtab.MustPath("/group/bar"): true}, ids)
	assert.Equal(t, "2 apps", ids.String())

	ids, bad, err = decodeList([]byte(`{"apps":[{"id":"/ok"},{"id":"//"},{"id":"/a/../b"},{"id":"relative"},null,[]]}`))
	require.NoError(t, err)
	assert.Len(t, bad, 5)
	assert.Equal(t, "1 app", ids.String())
}

func FuzzDecodeList(f *testing.F) {
	for _, s := range []string{appsDoc, `{"apps":[]}`, `{"apps":[{"id":"/a/../b"},null]}`, "<html>"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		ids, bad, err := decodeList(body)
		if err != nil {
			require.ErrorIs(t, err, errGarbled)
			require.Empty(t, ids)
			return
		}
		require.True(t, json.Valid(body))
		require.True(t, len(ids) > 0 || len(bad) == 0)
		for id := range ids {
			require.Positive(t, id.Len())
			require.Equal(t, id.Len(), ids.shortest(id.Take(ids.shortest(id)))+id.Len()-ids.shortest(id))
			for e := range id.Elems() {
				require.NotContains(t, []string{"", ".", ".."}, e)
			}
		}
	})
}

func FuzzDecodeApp(f *testing.F) {
	for _, s := range []string{hostDoc, discoveryDoc, noDiscoveryDoc, malformedDoc, `{"app":{"id":"/foo","tasks":[]}}`} {
		f.Add([]byte(s), false)
		f.Add([]byte(s), true)
	}
	id := dtab.MustPath("/foo")
	f.Fuzz(func(t *testing.T, body []byte, healthy bool) {
		a, err := decodeApp(body, id, healthy)
		if err != nil {
			require.ErrorIs(t, err, errGarbled)
			require.Empty(t, a.targets)
			return
		}
		require.True(t, json.Valid(body))
		for _, at := range a.targets {
			require.NotZero(t, at.port)
			require.NotEqual(t, at.ip.IsValid(), at.host != "")
		}
		if !healthy {
			return
		}
		all, err := decodeApp(body, id, false)
		if err == nil {
			require.Subset(t, all.targets, a.targets)
		}
	})
}

func FuzzParseAccount(f *testing.F) {
	f.Add(`{"login_endpoint":"https://leader.mesos/acs/api/v1/auth/login","private_key":"-----BEGIN PRIVATE KEY-----\nTUlJ\n-----END PRIVATE KEY-----\n","scheme":"RS256","uid":"u"}`)
	f.Add(`{"login_endpoint":"/l","private_key":"","scheme":"RS256","uid":"u"}`)
	f.Fuzz(func(t *testing.T, text string) {
		a, err := parseAccount(text)
		if err != nil {
			require.ErrorIs(t, err, ErrCredential)
			return
		}
		require.NotEmpty(t, a.uid)
		require.True(t, strings.HasPrefix(a.path, "/"))
		require.NotNil(t, a.key)
	})
}

func FuzzDecodeToken(f *testing.F) {
	f.Add([]byte(`{"token":"eyJhbGciOiJIUzI1NiJ9.x.y"}`))
	f.Add([]byte(`{"token":""}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		token, err := decodeToken(body)
		if err != nil {
			require.ErrorIs(t, err, errGarbled)
			return
		}
		require.NotEmpty(t, token)
		require.NotContains(t, token, "\n")
	})
}
