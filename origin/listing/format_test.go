package listing

import (
	"net/url"
	"testing"
)

func TestWants(t *testing.T) {
	for _, tt := range []struct {
		accept, query string
		want          Format
	}{
		{"", "", HTML},
		{"*/*", "", HTML},
		{"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", "", HTML},
		{"application/json", "", JSON},
		{"Application/JSON; charset=utf-8", "", JSON},
		{"application/json, */*", "", JSON},
		{"application/*", "", JSON},
		{"application/json, text/html", "", HTML},
		{"application/json;q=0.5, text/html", "", HTML},
		{"application/json, text/html ; q=0.9", "", JSON},
		{"text/*;q=0.9, application/json;q=0.8", "", HTML},
		{"text/html;q=0, */*", "", JSON},
		{"application/json;q=0, */*", "", HTML},
		{"application/json;q=0", "", HTML},
		{"application/json;q=2", "", HTML},
		{"application/json;q=x", "", HTML},
		{"application/json;version=1;Q=0.7, text/html;q=0.6", "", JSON},
		{"image/png", "", HTML},
		{",;,q=1;=", "", HTML},
		{"text/html", "format=json", JSON},
		{"application/json", "format=HTML", HTML},
		{"application/json", "format=xml", JSON},
	} {
		q, err := url.ParseQuery(tt.query)
		if err != nil {
			t.Fatal(err)
		}
		if got := Wants(tt.accept, q); got != tt.want {
			t.Errorf("Accept %q, %s: %d, want %d", tt.accept, tt.query, got, tt.want)
		}
	}
}

func FuzzWants(f *testing.F) {
	f.Add("text/html;q=0.3, application/json ; q=0.5, */*")
	f.Fuzz(func(t *testing.T, accept string) {
		for _, mediaType := range []string{"text/html", "application/json"} {
			w, p := weigh(accept, mediaType)
			if !(w >= 0 && w <= 1) || p < 0 || p > 3 || p == 0 && w != 0 {
				t.Errorf("%s weighs %v, precision %d", mediaType, w, p)
			}
		}
	})
}
