package marathon

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"

	"github.com/weft-mesh/weft/dtab"
)

// running is the state of a task that is neither on its way in nor out.
const running = "TASK_RUNNING"

// target is where a task is.
type target struct {
	ip   netip.Addr // not valid if host is a name
	host string
	port uint16
}

// app is an answer about an app.
type app struct {
	version string
	targets []target
	bad     []malformed
}

// The documents of Marathon, as far as they matter.
type (
	appAnswer struct {
		App *struct {
			ID           string             `json:"id"`
			Version      string             `json:"version"`
			HealthChecks []json.RawMessage  `json:"healthChecks"`
			IPAddress    *ipAddress         `json:"ipAddress"`
			Tasks        *[]json.RawMessage `json:"tasks"`
		} `json:"app"`
	}
	ipAddress struct {
		Discovery *struct {
			Ports []struct {
				Number *int `json:"number"`
			} `json:"ports"`
		} `json:"discovery"`
	}
	task struct {
		ID          string `json:"id"`
		Host        string `json:"host"`
		Ports       []int  `json:"ports"`
		State       string `json:"state"`
		IPAddresses []struct {
			IPAddress string `json:"ipAddress"`
		} `json:"ipAddresses"`
		HealthCheckResults []*struct {
			Alive bool `json:"alive"`
		} `json:"healthCheckResults"`
	}
)

// decodeApp reads an answer of /v2/apps/<id>?embed=app.tasks. Healthy takes only
// tasks that Marathon knows to be well.
func decodeApp(body []byte, id dtab.Path, healthy bool) (app, error) {
	var answer appAnswer
	if err := json.Unmarshal(body, &answer); err != nil {
		return app{}, fmt.Errorf("%w: %w", errGarbled, err)
	}
	doc := answer.App
	if doc == nil || doc.Tasks == nil {
		return app{}, fmt.Errorf(`%w: want an object with "app" that has "tasks"`, errGarbled)
	}
	if got, err := parseID(doc.ID); err != nil || got != id {
		return app{}, fmt.Errorf("%w: it is about app %q", errGarbled, doc.ID)
	}
	a := app{version: doc.Version}
	port, own := doc.IPAddress.port()
	for _, raw := range *doc.Tasks {
		var t task
		var at target
		ok := false
		err := json.Unmarshal(raw, &t)
		switch {
		case err == nil && string(raw) == "null":
			err = errors.New("want an object")
		case err == nil && healthy && !t.well(len(doc.HealthChecks)):
		case err == nil:
			at, ok, err = t.where(port, own)
		}
		switch {
		case err != nil:
			a.bad = append(a.bad, malformed{name: t.ID, raw: raw, err: err})
		case ok:
			a.targets = append(a.targets, at)
		}
	}
	if len(a.targets) == 0 && len(a.bad) > 0 {
		return a, fmt.Errorf("%w: none of %d tasks can be understood: %w", errGarbled, len(a.bad), a.bad[0].err)
	}
	return a, nil
}

// port returns the port at which every task has an address of its own, and whether
// there is one.
func (a *ipAddress) port() (int, bool) {
	if a == nil || a.Discovery == nil || len(a.Discovery.Ports) == 0 || a.Discovery.Ports[0].Number == nil {
		return 0, false
	}
	return *a.Discovery.Ports[0].Number, true
}

// well reports whether the task runs and enough checks say that it is alive.
func (t *task) well(checks int) bool {
	alive := 0
	for _, r := range t.HealthCheckResults {
		if r != nil && r.Alive {
			alive++
		}
	}
	return t.State == running && alive >= checks
}

// where returns where the task is, and false if that is not known yet.
func (t *task) where(port int, own bool) (at target, ok bool, err error) {
	host := t.Host
	switch {
	case own && len(t.IPAddresses) > 0:
		host = t.IPAddresses[0].IPAddress
	case own || len(t.Ports) == 0:
		return target{}, false, nil
	default:
		port = t.Ports[0]
	}
	if host == "" {
		return target{}, false, nil
	}
	if port < 1 || port > 65535 {
		return target{}, false, fmt.Errorf("port %d: want 1 to 65535", port)
	}
	at.port = uint16(port)
	if ip, err := netip.ParseAddr(host); err == nil {
		at.ip = ip.Unmap()
		return at, true, nil
	} else if own {
		return target{}, false, fmt.Errorf("ipAddress: %w", err)
	}
	at.host = host
	return at, true, nil
}
