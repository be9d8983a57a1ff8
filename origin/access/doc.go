// Package access decides who may read and who may write.
//
// It promises that a right is given only by what the operator wrote: a name in
// a list, a group whose member shows the right password, or $ALL. What cannot
// be decided is refused.
//
//   - Users are in a YAML file (OpenUsers), with passwords hashed by argon2id.
//     The file is watched; a file that cannot be used leaves the one before in
//     force. Edit changes it so that nothing is lost when two do that at once.
//   - Rights are four lists and answer for a request: allowed, log in, never.
//   - Rules are rights by directory, from a file in the form that httpout has
//     (ParseRules, WatchRules). The most specific section decides, alone.
//
// A password is in memory only while it is being checked: what is remembered of
// one is a keyed digest, under a key that ends with the process. However many
// wrong ones come, their checks take an eighth of the processors at most.
package access
