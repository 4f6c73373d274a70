package storetest

import "time"

const pauseBetween = 20 * time.Millisecond

// pauseForFault keeps writers from spinning while a server is away.
func pauseForFault(faulty bool) {
	if faulty {
		time.Sleep(pauseBetween)
	}
}
