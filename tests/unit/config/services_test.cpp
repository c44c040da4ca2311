#include "support/catch.hpp"

#include <bgt/base/text.hpp>
#include <bgt/config/services.hpp>
#include <bgt/core/pattern.hpp>

#include <chrono>
#include <set>

using namespace bgt;
using namespace bgt::config;

namespace {

/// Words between blanks; the rest after `-c ` is one word, as a shell would have made it of quotes.
std::vector<std::string> words(std::string_view line)
{
    std::vector<std::string> out;
    while (!line.empty()) {
        const auto blank = std::min(line.find(' '), line.size());
        out.emplace_back(line.substr(0, blank));
        line.remove_prefix(std::min(blank + 1, line.size()));
        if (out.back().starts_with('-') && out.back().ends_with('c') && out.back().size() <= 3 &&
            out[0].ends_with("sh")) {
            out.emplace_back(line);
            break;
        }
    }
    return out;
}

std::string service(std::string_view line)
{
    const auto* found = find_service(words(line));
    return found ? std::string(found->name) : "";
}

std::string bare(std::string_view line)
{
    return shell_join(bare_command(words(line)));
}

} // namespace

TEST_CASE("programs that end their children themselves, by their own name only")
{
    for (const char* line : {"gunicorn app:app", "/usr/sbin/nginx -g daemon", "docker compose up",
                             "postgres -D data", "tini -- node a.js"}) {
        INFO(line);
        CHECK(find_forwarder(words(line)) != nullptr);
    }
    for (const char* line : {"sh -c cd x && gunicorn app", "npx concurrently a b", "docker run x",
                             "node server.js", "nginx --help", "", "npm run dev"}) {
        INFO(line);
        CHECK(find_forwarder(words(line)) == nullptr);
    }
}

TEST_CASE("a command line as long as the kernel takes it is seen through at once")
{
    for (const char* word : {"A=1", "-i"})
        for (const char* program : {"env", "sh", "python3", "node"}) {
            std::vector<std::string> command(200'000, word);
            command.front() = program;
            const auto begin = std::chrono::steady_clock::now();
            CHECK(find_service(command) == nullptr);
            CHECK(std::chrono::steady_clock::now() - begin <
                  std::chrono::seconds(5)); // once it took minutes
        }
}

TEST_CASE("known services")
{
    for (const char* line : {
             "npm run dev",
             "npm start",
             "npm run start",
             "npm run serve",
             "npm run watch",
             "npm run preview",
             "npm run dev -- --host",
             "npm --prefix web run dev",
             "npm -w web run dev",
             "npm run web:dev",
             "npm run start:prod",
             "npm run-script dev",
             "pnpm dev",
             "pnpm run dev",
             "pnpm -C web dev",
             "pnpm --filter web run dev",
             "yarn dev",
             "yarn start",
             "yarn workspace web dev",
             "bun run dev",
             "bun --hot index.ts",
             "deno task dev",
             "deno run --watch x.ts",
             "node --watch app.js",
             "tsx watch x.ts",
             "npx vite",
             "npx -y vite@5 --host",
             "vite",
             "vite --port 3000",
             "vite dev",
             "vite preview",
             "vite build --watch",
             "node node_modules/vite/bin/vite.js",
             "./node_modules/.bin/vite",
             "pnpm exec vite",
             "bunx vite",
             "next dev",
             "next start",
             "next",
             "nuxt dev",
             "nuxi dev",
             "astro dev",
             "ng serve",
             "webpack serve",
             "webpack-dev-server",
             "webpack --watch",
             "npx webpack serve --mode development",
             "tsc -w",
             "tsc --watch",
             "tsc -p . --watch",
             "jest --watch",
             "jest --watchAll",
             "vitest watch",
             "vitest --watch",
             "vitest -w",
             "nodemon app.js",
             "react-scripts start",
             "vue-cli-service serve",
             "gatsby develop",
             "storybook dev -p 6006",
             "wrangler dev",
             "expo start",
             "turbo run dev",
             "http-server",
             "serve -s build",
             "json-server db.json",
             "uvicorn app:app --reload",
             "python -m uvicorn app:app",
             "/venv/bin/uvicorn app:app",
             "python3 /venv/bin/uvicorn app:app",
             "gunicorn app:app",
             "hypercorn app:app",
             "flask run",
             "flask --app x run --debug",
             "python -m flask run",
             "python manage.py runserver",
             "./manage.py runserver 0:8000",
             "python3.11 -u manage.py runserver",
             "django-admin runserver",
             "python -m http.server",
             "python3 -m http.server 8000",
             "/usr/bin/python3.12 -X dev -m http.server",
             "fastapi dev",
             "streamlit run app.py",
             "celery -A x worker",
             "jupyter lab",
             "mkdocs serve",
             "poetry run flask run",
             "uv run uvicorn a:b",
             "rails s",
             "rails server",
             "bin/rails s -p 3000",
             "bundle exec rails s",
             "ruby bin/rails server",
             "puma",
             "bundle exec puma -C x",
             "rackup",
             "foreman start",
             "jekyll serve",
             "bundle exec jekyll serve",
             "php -S localhost:8000",
             "php artisan serve",
             "php -d x=1 -S 0:80",
             "symfony serve",
             "cargo watch -x run",
             "cargo +nightly watch",
             "air",
             "hugo server",
             "hugo serve -D",
             "mdbook serve",
             "zola serve",
             "./gradlew bootRun",
             "gradle :app:bootRun",
             "mvn spring-boot:run",
             "dotnet watch run",
             "docker compose up",
             "docker compose -f x.yml up",
             "docker compose up --build",
             "docker-compose up",
             "podman compose up db",
             "docker logs -f web",
             "docker compose logs --follow",
             "kubectl port-forward svc/x 80",
             "kubectl -n x port-forward pod/y 80:80",
             "kubectl logs -f pod/x",
             "kubectl get pods -w",
             "skaffold dev",
             "tilt up",
             "ssh -N -L 80:localhost:80 host",
             "ssh -NL 80:x:80 host",
             "ssh -i key -N host",
             "autossh -M 0 -N host",
             "ngrok http 80",
             "cloudflared tunnel run x",
             "tail -f log",
             "tail -F log",
             "tail -n 100 -f log",
             "tail -100f log",
             "tail --follow=name log",
             "tail -n0 -F a b",
             "journalctl -f",
             "journalctl -u x -f",
             "dmesg -w",
             "entr make",
             "watch ls",
             "watchexec make",
             "inotifywait -m .",
             "watchman -f",
             "sleep infinity",
             "redis-server",
             "redis-server /etc/redis.conf",
             "postgres -D /data",
             "/usr/lib/postgresql/15/bin/postgres -D x",
             "mysqld",
             "mongod --dbpath x",
             "memcached",
             "etcd",
             "minio server /data",
             "caddy run",
             "traefik",
             "haproxy -f x",
             "httpd -DFOREGROUND",
             "sshd -D",
             "prometheus",
             "consul agent -dev",
             "vault server -dev",
             "ollama serve",
             "chromedriver",
             "adb logcat",
             "env PORT=1 npm start",
             "/usr/bin/env -i A=1 npm run dev",
             "env -u X vite",
             "nohup npm run dev",
             "nice -n 5 vite",
             "setpriv --reuid postgres --regid=postgres --clear-groups postgres -D data",
             "runuser -u www -- vite",
             "stdbuf -oL uvicorn a:b",
             "sh -c npm run dev",
             "bash -lc npm run dev",
             "sh -c cd web && npm run dev",
             "sh -c PORT=3000 npm run dev",
             "sh -c exec vite --host",
             "sh -c npm ci; npm start",
             "sh -c npm run dev 2>&1 | tee log",
             "sh -c npm run dev > log 2>&1",
             "sh -c 'vite' --port \"3000\"",
             "bash -c tail -f x | grep y",
             "sh -c npm run dev || true",
         }) {
        INFO(line);
        CHECK_FALSE(service(line).empty());
    }
}

TEST_CASE("near misses are jobs")
{
    for (const char* line : {
             "",
             "true",
             "npm",
             "npm run",
             "npm run build",
             "npm test",
             "npm run test",
             "npm ci",
             "npm install",
             "npm run predev",
             "npm run devtools",
             "npm run dev:build",
             "npm run watch-once",
             "npm run restart",
             "npm start --help",
             "pnpm build",
             "yarn",
             "yarn install",
             "yarn add serve-x",
             "bun test",
             "bun run build",
             "deno run x.ts",
             "node app.js",
             "node server.js",
             "npx vite build",
             "vite build",
             "vite --version",
             "vite optimize",
             "viteless",
             "npx create-vite",
             "next build",
             "next lint",
             "nuxt build",
             "astro build",
             "ng build",
             "ng test",
             "webpack",
             "webpack --mode production",
             "webpack build",
             "tsc",
             "tsc -p .",
             "tsc --watchFile x",
             "jest",
             "jest -w 4",
             "jest --watch=false",
             "vitest",
             "vitest run",
             "vitest --run",
             "vitest run --watch=false",
             "react-scripts build",
             "gatsby build",
             "turbo run build",
             "gunicorn --daemon app:app",
             "gunicorn --check-config app:app",
             "flask db upgrade",
             "flask routes",
             "python manage.py migrate",
             "python manage.py test",
             "python app.py",
             "python -c import",
             "python -m pytest",
             "python -m venv x",
             "pythonic -m http.server",
             "celery -A x status",
             "jupyter nbconvert x",
             "mkdocs build",
             "rails db:migrate",
             "rails test",
             "rails s -d",
             "jekyll build",
             "php x.php",
             "php artisan migrate",
             "php artisan queue:work --once",
             "composer install",
             "cargo build",
             "cargo test",
             "cargo run",
             "air init",
             "hugo",
             "hugo new site x",
             "mvn test",
             "gradle build",
             "gradle test",
             "dotnet test",
             "docker compose up -d",
             "docker compose up --detach",
             "docker compose up --abort-on-container-exit",
             "docker compose build",
             "docker run x",
             "docker logs web",
             "docker-compose up -d",
             "docker compose down",
             "kubectl apply -f x",
             "kubectl logs pod/x",
             "kubectl get pods",
             "ssh host",
             "ssh host ls",
             "ssh -fN host",
             "ssh -i key host make",
             "tail file",
             "tail -n 5 file",
             "tail -c 100 file",
             "journalctl -u x",
             "dmesg",
             "inotifywait .",
             "sleep 100",
             "redis-server --daemonize yes",
             "redis-cli ping",
             "postgres --single",
             "psql",
             "mongod --fork",
             "memcached -d",
             "nginx",
             "nginx -t",
             "caddy validate",
             "haproxy -c -f x",
             "httpd",
             "consul members",
             "vault status",
             "ollama run x",
             "make",
             "make serve-x",
             "sh -c npm run build",
             "sh -c npm start & sleep 1; npm test",
             "sh -c cat x | tail -f",
             "sh -c",
             "sh script.sh",
             "sh",
             "env",
             "env A=1",
             "timeout 10 npm run dev",
             "sh -c until vite; do sleep 1; done",
             "sh -c echo 'npm run dev'",
             "echo npm run dev",
             "npx",
             "bash -c ;;&&||",
         }) {
        INFO(line);
        CHECK(service(line) == "");
    }
}

TEST_CASE("what wraps a command is taken off")
{
    CHECK(bare("/usr/bin/env PORT=1 npx -y vite@5 --host") == "vite --host");
    CHECK(bare("sh -c cd web && A=1 exec /opt/vite 'a b' 2>/dev/null") == "vite 'a b'");
    CHECK(bare("python3.11 -u -m flask run") == "flask run");
    CHECK(bare("bash -c \"a\\\"b\" c\\ d > out") == "'a\"b' 'c d'");
    CHECK(bare("sh -c a | b | c") == "a");
    CHECK(bare("sh -c a 2>&1 b") == "a b");
    CHECK(bare("sh -c 'never ends") == "'never ends'");
    CHECK(bare("@scope/x y") == "x y");
    CHECK(bare("env env env env env env env env env vite") != "");
    CHECK(bare_command({"sh", "-c", std::string(5000, 'x')}).empty());
    CHECK(bare_command({""}) == std::vector<std::string>{""});
    CHECK(find_service({"nginx", "-g", "daemon off;"}) != nullptr);
    CHECK(find_service({""}) == nullptr);
    CHECK(find_service({" "}) == nullptr);
    CHECK(find_service({std::string(100000, ' ')}) == nullptr);
    CHECK(find_service({"vite\n", "x"}) == nullptr);
    CHECK(find_service({std::string("vite\0", 5)}) == nullptr);
}

TEST_CASE("the table is sound")
{
    std::set<std::string_view> names;
    for (const KnownService& one : known_services()) {
        INFO(one.name);
        CHECK(names.insert(one.name).second);
        CHECK((one.programs.starts_with(' ') && one.programs.ends_with(' ')));
        CHECK(one.programs.find("  ") == one.programs.npos);
        CHECK(core::Pattern::compile(std::string(one.match)));
        CHECK(core::Pattern::compile(std::string(one.unless)));
    }
}
