// Apiv2 carries out one method of the hosted service's own Go client, the one that its Terraform provider and its
// Kubernetes operator are built on, against the server of TAILSCALE_BASE_URL.
//
//	apiv2 RESOURCE METHOD [JSON ...]      as: apiv2 DNS SetSearchPaths '["corp.example"]'
//
// Each JSON is one argument, without the context. What the method returns is printed as JSON; an error goes to the
// standard error, as {"message", "status", "data"} where the server told it, and the program ends with 1.
//
// It asks with TAILSCALE_API_KEY, or with TAILSCALE_OAUTH_CLIENT_ID and TAILSCALE_OAUTH_CLIENT_SECRET.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"reflect"
	"time"

	"tailscale.com/client/tailscale/v2"
)

const deadline = 30 * time.Second

func main() {
	if len(os.Args) < 3 {
		fail(errors.New("usage: apiv2 RESOURCE METHOD [JSON ...]"))
	}
	answer, err := call(client(), os.Args[1], os.Args[2], os.Args[3:])
	if err != nil {
		fail(err)
	}
	if err := json.NewEncoder(os.Stdout).Encode(answer); err != nil {
		fail(err)
	}
}

func client() *tailscale.Client {
	base, err := url.Parse(os.Getenv("TAILSCALE_BASE_URL"))
	if err != nil {
		fail(err)
	}
	made := &tailscale.Client{BaseURL: base, APIKey: os.Getenv("TAILSCALE_API_KEY")}
	if id := os.Getenv("TAILSCALE_OAUTH_CLIENT_ID"); id != "" {
		made.Auth = &tailscale.OAuth{ClientID: id, ClientSecret: os.Getenv("TAILSCALE_OAUTH_CLIENT_SECRET")}
	}
	return made
}

// call carries out a method of a resource; its answer is what it returns besides an error.
func call(c *tailscale.Client, resource, method string, arguments []string) (any, error) {
	of := reflect.ValueOf(c).MethodByName(resource)
	if !of.IsValid() {
		return nil, fmt.Errorf("the client has no resource %s", resource)
	}
	found := of.Call(nil)[0].MethodByName(method)
	if !found.IsValid() {
		return nil, fmt.Errorf("%s has no method %s", resource, method)
	}
	ctx, cancel := context.WithTimeout(context.Background(), deadline)
	defer cancel()
	in := []reflect.Value{reflect.ValueOf(ctx)}
	for number, text := range arguments {
		value, err := read(text, found.Type().In(number+1))
		if err != nil {
			return nil, err
		}
		in = append(in, value)
	}
	out := found.Call(in)
	if err, failed := out[len(out)-1].Interface().(error); failed {
		return nil, err
	}
	if len(out) == 1 {
		return nil, nil
	}
	return out[0].Interface(), nil
}

// read makes an argument of a type. What may be anything is a policy file: a text as it is written, or an object.
func read(text string, wanted reflect.Type) (reflect.Value, error) {
	if wanted.Kind() == reflect.Interface {
		wanted = reflect.TypeFor[tailscale.ACL]()
		if text[:1] == `"` {
			wanted = reflect.TypeFor[string]()
		}
	}
	made := reflect.New(wanted)
	decoder := json.NewDecoder(bytes.NewReader([]byte(text)))
	decoder.DisallowUnknownFields()
	return made.Elem(), decoder.Decode(made.Interface())
}

func fail(err error) {
	told := tailscale.APIError{Message: err.Error()}
	errors.As(err, &told)
	json.NewEncoder(os.Stderr).Encode(told)
	os.Exit(1)
}
