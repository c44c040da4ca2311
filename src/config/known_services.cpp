#include <bgt/config/services.hpp>

#include <array>

namespace bgt::config {

namespace {

// Of a script's name, the part that says so: dev, web:dev, start:prod, test:watch; not dev:build.
#define BGT_SCRIPT                                                                                 \
    "(?:[\\w.-]+[:/"                                                                               \
    "])*(?:dev|develop|start|serve|server|watch|preview|storybook)(?:[:.][\\w.-]+)*(?: |$)"
#define BGT_OPTIONS "(?: -\\S+(?: [^- ]\\S*)?)*"

/// A program with several uses stands in several rows; of those the first that matches counts.
constexpr std::array services{
    KnownService{"package script", " npm pnpm yarn bun ",
                 "^\\w+" BGT_OPTIONS "(?: (?:run|run-script|workspace \\S+))?" BGT_OPTIONS
                 " " BGT_SCRIPT,
                 "[:.](?:build|test|ci|lint|check|install|setup|once)(?: |$)"},
    KnownService{"bun", " bun ", "^bun (?:.* )?--(?:hot|watch)(?: |$)", ""},
    KnownService{"deno", " deno ", "^deno (?:task " BGT_SCRIPT "|serve(?: |$)|run (?:.* )?--watch)",
                 ""},
    KnownService{"node --watch", " node tsx ", "^\\w+ (?:watch(?: |$)|(?:-\\S+ )*--watch)", ""},

    KnownService{"vite", " vite ", "^vite(?: |$)", "^vite (?:build|optimize|inspect)(?: |$)"},
    KnownService{"watch mode",
                 " vite webpack tsc vue-tsc vitest rollup esbuild sass tailwindcss babel parcel "
                 "mocha ava swc tsup postcss "
                 "eleventy ng stylus lessc turbo nx ",
                 " (?:-w|--watch(?:All|=true|=always|=forever)?)(?: |$)", " --watch=false(?: |$)"},
    KnownService{"jest --watch", " jest react-scripts ", " --watch(?:All)?(?:=true)?(?: |$)", ""},
    KnownService{"vitest", " vitest ", "^vitest (?:watch|dev)(?: |$)| --ui(?: |$)",
                 " --run(?: |$)"},
    KnownService{"next", " next ", "^next(?:$| (?:dev|start)(?: |$)| -)", ""},
    KnownService{"nuxt", " nuxt nuxi ",
                 "^nuxi? (?:dev|start|preview)(?: |$)|^nuxt (?:dev|start|preview)(?: |$)", ""},
    KnownService{"dev server",
                 " astro remix svelte-kit gatsby vitepress vuepress vinxi quasar storybook "
                 "wrangler netlify vercel "
                 "docusaurus expo react-scripts vue-cli-service ember parcel turbo nx react-router "
                 "rsbuild rspack farm waku ",
                 "^\\S+ (?:dev|develop|start|serve|server|preview|s)(?: |$)|^turbo run (?:.* "
                 ")?(?:dev|start|serve)(?: |$)",
                 ""},
    KnownService{"ng serve", " ng ", "^ng (?:serve|s|dev)(?: |$)", ""},
    KnownService{"webpack serve", " webpack ", "^webpack (?:serve|server|s)(?: |$)", ""},
    KnownService{"file server",
                 " webpack-dev-server http-server live-server serve json-server browser-sync "
                 "start-storybook "
                 "rollup-watch ts-node-dev nodemon esw chokidar ",
                 "", ""},
    KnownService{"firebase", " firebase ", "^firebase (?:.* )?(?:serve|emulators:start)(?: |$)",
                 ""},

    KnownService{"http.server", " http.server ", "", ""},
    KnownService{
        "python server",
        " uvicorn hypercorn daphne waitress-serve granian sphinx-autobuild tensorboard ptw "
        "pytest-watch watchmedo jupyter-lab jupyter-notebook mlflow-server ",
        "", ""},
    KnownService{"gunicorn", " gunicorn ", "^gunicorn(?: |$)",
                 " (?:-D|--daemon|--check-config|--print-config)(?: |$)"},
    KnownService{"flask run", " flask ", "^flask(?: -\\S+(?: [^- ]\\S*)?)* run(?: |$)", ""},
    KnownService{"runserver", " manage.py django-admin ",
                 "^\\S+ (?:.* )?runserver(?:_plus)?(?: |$)", ""},
    KnownService{
        "python app",
        " fastapi streamlit jupyter celery mkdocs mlflow airflow huey_consumer dramatiq rq ",
        "^fastapi (?:dev|run)(?: |$)|^streamlit run(?: |$)|^jupyter[ -](?:lab|notebook|server)(?: "
        "|$)|"
        "^celery (?:.* )?(?:worker|beat|flower)(?: |$)|^mkdocs serve(?: |$)|^mlflow "
        "(?:server|ui)(?: |$)|"
        "^airflow (?:webserver|scheduler|standalone)(?: |$)|^(?:huey_consumer|dramatiq)(?: |$)|^rq "
        "worker(?: |$)",
        " (?:stop|list|inspect|--detach|-D|--burst)(?: |$)"},

    KnownService{"rails server", " rails ", "^rails (?:s|server)(?: |$)",
                 " (?:-d|--daemon)(?: |$)"},
    KnownService{"ruby server", " puma unicorn rackup sidekiq guard hivemind ", "",
                 " (?:-d|-D|--daemon|--daemonize)(?: |$)"},
    KnownService{"foreman", " foreman overmind goreman honcho ", "^\\S+ (?:start|s)(?: |$)",
                 " (?:-D|--daemonize)(?: |$)"},
    KnownService{"site generator", " hugo jekyll mdbook zola trunk hexo eleventy middleman ",
                 "^\\S+ (?:serve|server|s|watch|preview)(?: |$)| --(?:serve|watch)(?: |$)",
                 " --detach(?: |$)"},
    KnownService{"php -S", " php ", "^php (?:.* )?-S ", ""},
    KnownService{
        "artisan", " php artisan symfony ",
        "(?:^| )(?:\\S*/)?artisan "
        "(?:serve|queue:(?:work|listen)|horizon|schedule:work|octane:start|reverb:start)(?: |$)|"
        "^symfony (?:serve|server:start)(?: |$)",
        " (?:-d|--daemon|--once|--stop-when-empty)(?: |$)"},

    KnownService{"cargo watch", " cargo cargo-watch ",
                 "^cargo-watch|^cargo(?: \\+\\S+)? (?:watch|leptos (?:watch|serve))(?: |$)", ""},
    KnownService{"rebuilder", " air bacon reflex modd wgo dx ",
                 "^(?:air|bacon|reflex|modd|wgo)(?: |$)|^dx serve(?: |$)",
                 "^air init|^wgo (?:build|test)(?: |$)"},
    KnownService{"JVM server", " gradle gradlew mvn mvnw quarkus ",
                 " (?:\\S*:)?bootRun(?: |$)| (?:-t|--continuous)(?: |$)| "
                 "(?:spring-boot:run|quarkus:dev|jetty:run)(?: |$)|^quarkus dev",
                 ""},
    KnownService{"dotnet watch", " dotnet ", "^dotnet watch(?: |$)", ""},
    KnownService{"mix phx.server", " mix ", "^mix phx\\.server(?: |$)", ""},

    KnownService{
        "compose up", " docker docker-compose podman podman-compose ", "^\\S+(?: .*)? up(?: |$)",
        " (?:-d|--detach|--wait|--no-start|--abort-on-container-exit|--exit-code-from)(?: |=|$)"},
    KnownService{"container log", " docker docker-compose podman ",
                 " logs (?:.* )?(?:-f|--follow)(?: |$)|^\\S+ (?:events|compose watch)(?: |$)", ""},
    KnownService{"kubectl", " kubectl oc ",
                 "^\\w+ (?:.* )?(?:port-forward|proxy)(?: |$)|^\\w+ (?:.* )?logs (?:.* "
                 ")?(?:-f|--follow)(?: |$)|"
                 "^\\w+ (?:.* )?get (?:.* )?(?:-w|--watch)(?: |$)",
                 ""},
    KnownService{
        "cluster tool", " skaffold tilt minikube stern telepresence ",
        "^skaffold dev(?: |$)|^tilt up(?: |$)|^minikube (?:tunnel|mount)(?: |$)|^stern(?: |$)", ""},

    KnownService{"ssh -N", " ssh autossh ", "^\\w+ (?:.* )?-[A-Za-z]*N(?:[A-Z]| |$)",
                 " -[A-Za-z]*f[A-Za-z]*(?: |$)"},
    KnownService{"tunnel", " ngrok cloudflared ",
                 "^ngrok (?:http|tcp|tls|start)(?: |$)|^cloudflared tunnel(?: .*)? run(?: |$)|"
                 "^cloudflared tunnel (?:.* )?--url",
                 ""},
    KnownService{"tail -f", " tail ",
                 "^tail (?:.* )?(?:-[a-zA-Z0-9]*[fF]|--follow(?:=\\w+)?|--retry)", " --pid"},
    KnownService{"log follower", " journalctl dmesg ",
                 "^journalctl (?:.* )?(?:-[a-z]*f|--follow)|^dmesg (?:.* )?(?:-w|-W|--follow)", ""},
    KnownService{
        "file watcher", " entr watch watchexec fswatch watchman inotifywait ",
        "^(?:entr|watch|watchexec|fswatch)(?: |$)|^watchman (?:.* )?(?:-f|--foreground)(?: |$)|"
        "^inotifywait (?:.* )?(?:-[a-z]*m|--monitor)",
        "^fswatch (?:.* )?(?:-1|--one-event)(?: |$)"},
    KnownService{"sleep infinity", " sleep ", "^sleep (?:inf|infinity)$", ""},

    KnownService{
        "database",
        " redis-server redis-sentinel valkey-server postgres mysqld mysqld_safe mariadbd "
        "mariadbd-safe "
        "mongod mongos memcached etcd nats-server mosquitto influxd ",
        "",
        " (?:--fork|--daemonize "
        "yes|-d|--daemonize|--initialize|--initialize-insecure|--single|--check|-C)(?: |$)"},
    KnownService{"data server",
                 " minio cockroach clickhouse elasticsearch rabbitmq-server kafka-server-start "
                 "kafka-server-start.sh zookeeper-server-start.sh ",
                 "^minio server|^cockroach start|^clickhouse "
                 "server|^(?:elasticsearch|rabbitmq-server|kafka|zookeeper)",
                 " (?:-d|-daemon|-detached|--daemonize|--background)(?: |$)"},
    KnownService{"nginx", " nginx openresty ", "daemon off", " (?:-t|-T|-s)(?: |$)"},
    KnownService{"web server",
                 " caddy traefik envoy haproxy httpd apache2 lighttpd sshd dnsmasq php-fpm ",
                 "^caddy (?:run|file-server|reverse-proxy|respond)(?: |$)|^(?:traefik|envoy)(?: "
                 "|$)|^haproxy(?: |$)|"
                 "^(?:httpd|apache2) (?:.* )?-(?:X|D ?FOREGROUND)|^(?:lighttpd|sshd) (?:.* "
                 ")?-D|^dnsmasq (?:.* )?-[dk]|^php-fpm (?:.* )?-F",
                 "^traefik (?:version|healthcheck)|^haproxy (?:.* )?-[cD](?: |$)"},
    KnownService{"infrastructure",
                 " prometheus grafana-server vault consul nomad ollama vllm llama-server ",
                 "^(?:prometheus|grafana-server|llama-server)(?: |$)|^vault server(?: "
                 "|$)|^(?:consul|nomad) agent(?: |$)|"
                 "^(?:ollama|vllm) serve(?: |$)",
                 ""},
    KnownService{"driver", " Xvfb chromedriver geckodriver selenium-server appium adb ",
                 "^(?:Xvfb|chromedriver|geckodriver|selenium-server|appium)(?: |$)|^adb (?:.* "
                 ")?logcat(?: |$)",
                 " (?:-d|-t \\d+)(?: |$)"},
};

#undef BGT_SCRIPT
#undef BGT_OPTIONS

} // namespace

std::span<const KnownService> known_services()
{
    return services;
}

} // namespace bgt::config
