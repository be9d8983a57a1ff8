package main

import (
	"fmt"
	"strings"

	"github.com/headwater-origin/headwater/origin/access"
)

// groupCmd manages the groups of a users file.
type groupCmd struct {
	Add    groupAddCmd    `cmd:"" help:"Add a group."`
	Remove groupRemoveCmd `cmd:"" help:"Remove a group; its users stay."`
	Join   groupJoinCmd   `cmd:"" help:"Put users into a group."`
	Leave  groupLeaveCmd  `cmd:"" help:"Take users out of a group."`
	List   groupListCmd   `cmd:"" help:"List the groups and their users."`
}

type groupAddCmd struct {
	Group string `arg:"" help:"Name of the group."`
	usersFlag
}

// Run adds the group.
func (c *groupAddCmd) Run(e env) error {
	return c.edit(e, func(a *access.Accounts) error { return a.AddGroup(c.Group) })
}

type groupRemoveCmd struct {
	Group string `arg:"" help:"Name of the group."`
	usersFlag
}

// Run removes the group.
func (c *groupRemoveCmd) Run(e env) error {
	return c.edit(e, func(a *access.Accounts) error { return a.RemoveGroup(c.Group) })
}

type groupJoinCmd struct {
	Group string   `arg:"" help:"Name of the group."`
	User  []string `arg:"" help:"Names of users."`
	usersFlag
}

// Run puts the users into the group.
func (c *groupJoinCmd) Run(e env) error {
	return c.edit(e, func(a *access.Accounts) error { return a.Join(c.Group, c.User...) })
}

type groupLeaveCmd struct {
	Group string   `arg:"" help:"Name of the group."`
	User  []string `arg:"" help:"Names of users."`
	usersFlag
}

// Run takes the users out of the group.
func (c *groupLeaveCmd) Run(e env) error {
	return c.edit(e, func(a *access.Accounts) error { return a.Leave(c.Group, c.User...) })
}

type groupListCmd struct{ usersFlag }

// Run prints a line for each group.
func (c *groupListCmd) Run(e env) error {
	a, err := access.ReadAccounts(c.Users)
	if err != nil {
		return err
	}
	for _, g := range a.Groups() {
		fmt.Fprintln(e.stdout, strings.TrimSpace(g.Name+" "+strings.Join(g.Users, ",")))
	}
	return nil
}
