// Command daprd is the Dapr sidecar with only the components that Playbill uses,
// which halves its build time and size. It takes the flags of the official daprd.
package main

import (
	"context"
	"fmt"
	"os"

	"go.opencensus.io/stats/view"
	"go.uber.org/automaxprocs/maxprocs"

	"github.com/dapr/dapr/cmd/daprd/options"
	"github.com/dapr/dapr/pkg/buildinfo"
	"github.com/dapr/dapr/pkg/components/bindings"
	"github.com/dapr/dapr/pkg/components/configuration"
	"github.com/dapr/dapr/pkg/components/conversation"
	"github.com/dapr/dapr/pkg/components/crypto"
	"github.com/dapr/dapr/pkg/components/lock"
	httpmiddleware "github.com/dapr/dapr/pkg/components/middleware/http"
	"github.com/dapr/dapr/pkg/components/nameresolution"
	"github.com/dapr/dapr/pkg/components/pubsub"
	"github.com/dapr/dapr/pkg/components/secretstores"
	"github.com/dapr/dapr/pkg/components/state"
	"github.com/dapr/dapr/pkg/healthz"
	"github.com/dapr/dapr/pkg/metrics"
	"github.com/dapr/dapr/pkg/modes"
	"github.com/dapr/dapr/pkg/runtime"
	"github.com/dapr/dapr/pkg/runtime/registry"
	"github.com/dapr/dapr/pkg/security"
	"github.com/dapr/kit/concurrency"
	"github.com/dapr/kit/logger"
	"github.com/dapr/kit/signals"
)

var log = logger.NewLogger("playbill.daprd")

func main() {
	_, _ = maxprocs.Set()
	opts, err := options.New(os.Args[1:])
	if err != nil {
		log.Fatalf("unusable flags: %v", err)
	}
	if opts.RuntimeVersion {
		fmt.Println(buildinfo.Version())
		return
	}
	opts.Logger.SetAppID(opts.AppID)
	if err = logger.ApplyOptionsToLoggers(&opts.Logger); err != nil {
		log.Fatal(err)
	}
	registerComponents()
	shareComponentLogger()
	if err = run(signals.Context(), opts); err != nil {
		log.Fatalf("daprd stopped: %v", err)
	}
}

func shareComponentLogger() {
	contrib := logger.NewLogger("dapr.contrib")
	bindings.DefaultRegistry.Logger = contrib
	configuration.DefaultRegistry.Logger = contrib
	conversation.DefaultRegistry.Logger = contrib
	crypto.DefaultRegistry.Logger = contrib
	httpmiddleware.DefaultRegistry.Logger = contrib
	lock.DefaultRegistry.Logger = contrib
	nameresolution.DefaultRegistry.Logger = contrib
	pubsub.DefaultRegistry.Logger = contrib
	secretstores.DefaultRegistry.Logger = contrib
	state.DefaultRegistry.Logger = contrib
}

// run starts the certificate handler and the runtime together and stops both when either ends.
func run(ctx context.Context, opts *options.Options) error {
	health := healthz.New()
	provider, err := security.New(ctx, security.Options{
		SentryAddress:           opts.SentryAddress,
		ControlPlaneTrustDomain: opts.ControlPlaneTrustDomain,
		ControlPlaneNamespace:   opts.ControlPlaneNamespace,
		TrustAnchors:            opts.TrustAnchors,
		AppID:                   opts.AppID,
		MTLSEnabled:             opts.EnableMTLS,
		Mode:                    modes.DaprMode(opts.Mode),
		Healthz:                 health,
		JwtAudiences:            opts.SentryRequestJwtAudiences,
	})
	if err != nil {
		return err
	}
	return concurrency.NewRunnerManager(provider.Run, func(ctx context.Context) error {
		handler, err := provider.Handler(ctx)
		if err != nil {
			return err
		}
		rt, err := runtime.FromConfig(ctx, runtimeConfig(opts, handler, health))
		if err != nil {
			return err
		}
		return rt.Run(ctx)
	}).Run(ctx)
}

func runtimeConfig(opts *options.Options, handler security.Handler, health healthz.Healthz) *runtime.Config {
	return &runtime.Config{
		AppID:                         opts.AppID,
		Mode:                          opts.Mode,
		Config:                        opts.Config,
		ResourcesPath:                 opts.ResourcesPath,
		ComponentsPath:                opts.ComponentsPath,
		Registry:                      componentRegistry(),
		Security:                      handler,
		Healthz:                       health,
		ActorsService:                 opts.ActorsService,
		ActorsDisseminationTimeout:    opts.ActorsDisseminationTimeout,
		RemindersService:              opts.RemindersService,
		SchedulerAddress:              opts.SchedulerAddress,
		SchedulerStreams:              opts.SchedulerJobStreams,
		ControlPlaneAddress:           opts.ControlPlaneAddress,
		SentryAddress:                 opts.SentryAddress,
		EnableMTLS:                    opts.EnableMTLS,
		AllowedOrigins:                opts.AllowedOrigins,
		AppProtocol:                   opts.AppProtocol,
		AppSSL:                        opts.AppSSL,
		AppMaxConcurrency:             opts.AppMaxConcurrency,
		AppChannelAddress:             opts.AppChannelAddress,
		ApplicationPort:               opts.AppPort,
		EnableAppHealthCheck:          opts.EnableAppHealthCheck,
		AppHealthCheckPath:            opts.AppHealthCheckPath,
		AppHealthProbeInterval:        opts.AppHealthProbeInterval,
		AppHealthProbeTimeout:         opts.AppHealthProbeTimeout,
		AppHealthThreshold:            opts.AppHealthThreshold,
		DaprHTTPPort:                  opts.DaprHTTPPort,
		DaprAPIGRPCPort:               opts.DaprAPIGRPCPort,
		DaprAPIListenAddresses:        opts.DaprAPIListenAddresses,
		DaprInternalGRPCPort:          opts.DaprInternalGRPCPort,
		DaprInternalGRPCListenAddress: opts.DaprInternalGRPCListenAddress,
		DaprPublicPort:                opts.DaprPublicPort,
		DaprPublicListenAddress:       opts.DaprPublicListenAddress,
		DaprGracefulShutdownSeconds:   opts.DaprGracefulShutdownSeconds,
		DaprBlockShutdownDuration:     opts.DaprBlockShutdownDuration,
		DisableBuiltinK8sSecretStore:  opts.DisableBuiltinK8sSecretStore,
		DisableInitEndpoints:          opts.DisableInitEndpoints,
		EnableAPILogging:              opts.EnableAPILogging,
		EnableProfiling:               opts.EnableProfiling,
		ProfilePort:                   opts.ProfilePort,
		MaxRequestSize:                opts.MaxRequestSize,
		ReadBufferSize:                opts.ReadBufferSize,
		UnixDomainSocket:              opts.UnixDomainSocket,
		Metrics: metrics.Options{
			Enabled:       opts.Metrics.Enabled(),
			Log:           log,
			Port:          opts.Metrics.Port(),
			Namespace:     metrics.DefaultMetricNamespace,
			Healthz:       health,
			ListenAddress: opts.Metrics.ListenAddress(),
			Meter:         view.NewMeter(),
		},
	}
}

func componentRegistry() *registry.Options {
	return registry.NewOptions().
		WithBindings(bindings.DefaultRegistry).
		WithConfigurations(configuration.DefaultRegistry).
		WithConversations(conversation.DefaultRegistry).
		WithCryptoProviders(crypto.DefaultRegistry).
		WithHTTPMiddlewares(httpmiddleware.DefaultRegistry).
		WithLocks(lock.DefaultRegistry).
		WithNameResolutions(nameresolution.DefaultRegistry).
		WithPubSubs(pubsub.DefaultRegistry).
		WithSecretStores(secretstores.DefaultRegistry).
		WithStateStores(state.DefaultRegistry)
}
