package main

import (
	"github.com/dapr/components-contrib/bindings/cron"
	"github.com/dapr/components-contrib/nameresolution/mdns"
	"github.com/dapr/components-contrib/nameresolution/sqlite"
	"github.com/dapr/components-contrib/pubsub/kafka"
	redispubsub "github.com/dapr/components-contrib/pubsub/redis"
	"github.com/dapr/components-contrib/secretstores/local/env"
	"github.com/dapr/components-contrib/secretstores/local/file"
	"github.com/dapr/components-contrib/state/mysql"
	redisstate "github.com/dapr/components-contrib/state/redis"

	"github.com/dapr/dapr/pkg/components/bindings"
	"github.com/dapr/dapr/pkg/components/nameresolution"
	"github.com/dapr/dapr/pkg/components/pubsub"
	"github.com/dapr/dapr/pkg/components/secretstores"
	"github.com/dapr/dapr/pkg/components/state"
)

// registerComponents makes known the component types that the files under components/ name, and no others.
func registerComponents() {
	bindings.DefaultRegistry.RegisterInputBinding(cron.NewCron, "cron")
	nameresolution.DefaultRegistry.RegisterComponent(mdns.NewResolver, "mdns")
	nameresolution.DefaultRegistry.RegisterComponent(sqlite.NewResolver, "sqlite")
	pubsub.DefaultRegistry.RegisterComponent(redispubsub.NewRedisStreams, "redis")
	pubsub.DefaultRegistry.RegisterComponent(kafka.NewKafka, "kafka")
	secretstores.DefaultRegistry.RegisterComponent(env.NewEnvSecretStore, "local.env")
	secretstores.DefaultRegistry.RegisterComponent(file.NewLocalSecretStore, "local.file")
	state.DefaultRegistry.RegisterComponent(mysql.NewMySQLStateStore, "mysql")
	state.DefaultRegistry.RegisterComponent(redisstate.NewRedisStateStore, "redis")
}
