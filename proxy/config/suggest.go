package config

import (
	"slices"
	"strings"
)

// suggest returns the known word that was most likely meant by word, "" if none is
// near: it differs in case only,
// is the known word's beginning, or differs by few edits for its length.
func suggest(word string, known []string) string {
	if len(word) > 64 {
		return ""
	}
	best, bestDistance := "", len(word)/3+1
	for _, k := range known {
		if strings.EqualFold(word, k) || len(word) > 2 && strings.HasPrefix(strings.ToLower(k), strings.ToLower(word)) {
			return k
		}
		if d := distance(strings.ToLower(word), strings.ToLower(k)); d < bestDistance || d == bestDistance && best == "" {
			best, bestDistance = k, d
		}
	}
	return best
}

// distance is the number of insertions, deletions, replacements and swaps of
// neighbouring bytes between a and b (optimal string alignment).
func distance(a, b string) int {
	prev2 := make([]int, len(b)+1)
	prev := make([]int, len(b)+1)
	cur := make([]int, len(b)+1)
	for j := range prev {
		prev[j] = j
	}
	for i := 1; i <= len(a); i++ {
		cur[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			cur[j] = min(prev[j]+1, cur[j-1]+1, prev[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				cur[j] = min(cur[j], prev2[j-2]+1)
			}
		}
		prev2, prev, cur = prev, cur, prev2
	}
	return prev[len(b)]
}

// didYouMean returns " (did you mean \"x\"?)" or nothing.
func didYouMean(word string, known []string) string {
	if s := suggest(word, known); s != "" {
		return ` (did you mean "` + s + `"?)`
	}
	return ""
}

// list joins words in alphabetical order, each once.
func list(words []string) string {
	words = slices.Clone(words)
	slices.Sort(words)
	if len(words) == 0 {
		return "none"
	}
	return strings.Join(slices.Compact(words), ", ")
}
