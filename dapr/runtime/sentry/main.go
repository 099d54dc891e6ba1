// Command sentry is Dapr's sentry service, built from the pinned module.
package main

import "github.com/dapr/dapr/cmd/sentry/app"

func main() { app.Run() }
