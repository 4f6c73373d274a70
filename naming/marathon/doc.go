// Package marathon is the namer io.l5d.marathon: it follows the tasks of
// Marathon apps by polling the API of Marathon.
package marathon
