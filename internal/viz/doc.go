// Package viz makes what deploy/viz has of generated files: the Grafana dashboards and
// the Kubernetes manifest that holds all the other files. `go test ./internal/viz -rewrite`
// writes them; without the flag the test compares them.
package viz
