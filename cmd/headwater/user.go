package main

import (
	"fmt"
	"strings"

	"github.com/headwater-origin/headwater/origin/access"
)

// userCmd manages the users of a users file.
type userCmd struct {
	Add    userAddCmd    `cmd:"" help:"Add a user; the password is asked for, or read from standard input."`
	Passwd userPasswdCmd `cmd:"" help:"Change a user's password."`
	Remove userRemoveCmd `cmd:"" help:"Remove a user, from all groups, too."`
	List   userListCmd   `cmd:"" help:"List the users and their groups."`
}

// usersFlag names the file.
type usersFlag struct {
	Users string `required:"" placeholder:"FILE" help:"Users file, made if it is not there."`
}

// edit changes the file. What is wrong with the change is the user's mistake.
func (f usersFlag) edit(e env, change func(*access.Accounts) error) error {
	var wrong error
	err := access.Edit(e.ctx, f.Users, func(a *access.Accounts) error {
		wrong = change(a)
		return wrong
	})
	if wrong != nil {
		return usageError{wrong}
	}
	return err
}

type userAddCmd struct {
	Name string `arg:"" help:"Name of the user."`
	usersFlag
}

// Run adds the user.
func (c *userAddCmd) Run(e env) error {
	password, err := readPassword(e)
	if err != nil {
		return err
	}
	return c.edit(e, func(a *access.Accounts) error { return a.AddUser(c.Name, password) })
}

type userPasswdCmd struct {
	Name string `arg:"" help:"Name of the user."`
	usersFlag
}

// Run changes the password.
func (c *userPasswdCmd) Run(e env) error {
	password, err := readPassword(e)
	if err != nil {
		return err
	}
	return c.edit(e, func(a *access.Accounts) error { return a.SetPassword(c.Name, password) })
}

type userRemoveCmd struct {
	Name string `arg:"" help:"Name of the user."`
	usersFlag
}

// Run removes the user.
func (c *userRemoveCmd) Run(e env) error {
	return c.edit(e, func(a *access.Accounts) error { return a.RemoveUser(c.Name) })
}

type userListCmd struct{ usersFlag }

// Run prints a line for each user.
func (c *userListCmd) Run(e env) error {
	a, err := access.ReadAccounts(c.Users)
	if err != nil {
		return err
	}
	for _, u := range a.Users() {
		fmt.Fprintln(e.stdout, strings.TrimSpace(u.Name+" "+strings.Join(u.Groups, ",")))
	}
	return nil
}
