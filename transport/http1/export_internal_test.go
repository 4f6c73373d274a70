package http1

// StatusOf is statusOf for the tests outside.
func StatusOf(err error) int { return statusOf(err) }

// RaceEnabled is raceEnabled for the tests outside.
const RaceEnabled = raceEnabled
