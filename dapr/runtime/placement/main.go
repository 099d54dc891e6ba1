// Command placement is Dapr's placement service, built from the pinned module.
package main

import "github.com/dapr/dapr/cmd/placement/app"

func main() { app.Run() }
