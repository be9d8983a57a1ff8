package access

import (
	"fmt"
	"maps"
	"slices"
)

// Accounts are the users and groups of a file, to be looked at and changed. It
// is used by one goroutine at a time.
type Accounts struct {
	users  map[string]passwordHash
	groups map[string][]string // sorted; may name who is no user
	cost   cost                // of new passwords
}

// User is one user of a file.
type User struct {
	Name   string   `json:"name"`
	Groups []string `json:"groups"` // sorted, without Everyone
}

// Group is one group of a file.
type Group struct {
	Name  string   `json:"name"`
	Users []string `json:"users"` // sorted
}

func newAccounts() *Accounts {
	return &Accounts{users: map[string]passwordHash{}, groups: map[string][]string{}, cost: defaultCost}
}

// HasUser says whether there is such a user.
func (a *Accounts) HasUser(name string) bool {
	_, ok := a.users[name]
	return ok
}

// Users returns all users by name.
func (a *Accounts) Users() []User {
	users := []User{}
	for _, name := range slices.Sorted(maps.Keys(a.users)) {
		u := User{Name: name, Groups: []string{}}
		for _, g := range slices.Sorted(maps.Keys(a.groups)) {
			if slices.Contains(a.groups[g], name) {
				u.Groups = append(u.Groups, g)
			}
		}
		users = append(users, u)
	}
	return users
}

// Groups returns all groups by name, without Everyone.
func (a *Accounts) Groups() []Group {
	groups := []Group{}
	for _, name := range slices.Sorted(maps.Keys(a.groups)) {
		groups = append(groups, Group{name, append([]string{}, a.groups[name]...)})
	}
	return groups
}

// AddUser adds a user; that there is one by the name is an error.
func (a *Accounts) AddUser(name, password string) error {
	if err := CheckName(name); err != nil {
		return err
	}
	if a.HasUser(name) {
		return fmt.Errorf("there is a user %s already", name)
	}
	return a.set(name, password)
}

// SetPassword gives a user another password.
func (a *Accounts) SetPassword(name, password string) error {
	if !a.HasUser(name) {
		return noUser(name)
	}
	return a.set(name, password)
}

func (a *Accounts) set(name, password string) error {
	if err := CheckPassword(password); err != nil {
		return err
	}
	a.users[name] = newHash(password, a.cost)
	return nil
}

// RemoveUser removes a user, from the groups too.
func (a *Accounts) RemoveUser(name string) error {
	if !a.HasUser(name) {
		return noUser(name)
	}
	delete(a.users, name)
	for g := range a.groups {
		a.take(g, name)
	}
	return nil
}

// AddGroup adds a group of nobody.
func (a *Accounts) AddGroup(name string) error {
	if err := CheckName(name); err != nil {
		return err
	}
	if _, ok := a.groups[name]; ok || name == Everyone {
		return fmt.Errorf("there is a group %s already", name)
	}
	a.groups[name] = nil
	return nil
}

// RemoveGroup removes a group; its users stay.
func (a *Accounts) RemoveGroup(name string) error {
	if err := a.changeable(name); err != nil {
		return err
	}
	delete(a.groups, name)
	return nil
}

// Join puts users into a group. Who is there already stays.
func (a *Accounts) Join(group string, users ...string) error {
	if err := a.changeable(group); err != nil {
		return err
	}
	for _, u := range users {
		if !a.HasUser(u) {
			return noUser(u)
		}
	}
	members := append(slices.Clone(a.groups[group]), users...)
	slices.Sort(members)
	a.groups[group] = slices.Compact(members)
	return nil
}

// Leave takes users out of a group; that one is not in it is an error.
func (a *Accounts) Leave(group string, users ...string) error {
	if err := a.changeable(group); err != nil {
		return err
	}
	for _, u := range users {
		if !slices.Contains(a.groups[group], u) {
			return fmt.Errorf("%s is not in the group %s", u, group)
		}
	}
	for _, u := range users {
		a.take(group, u)
	}
	return nil
}

func (a *Accounts) take(group, user string) {
	a.groups[group] = slices.DeleteFunc(a.groups[group], func(u string) bool { return u == user })
}

func (a *Accounts) changeable(group string) error {
	if group == Everyone {
		return fmt.Errorf("every user is in the group %s; it cannot be changed", Everyone)
	}
	if _, ok := a.groups[group]; !ok {
		return fmt.Errorf("there is no group %s", group)
	}
	return nil
}

func noUser(name string) error { return fmt.Errorf("there is no user %s", name) }
