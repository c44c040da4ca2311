#include <bgt/config/services.hpp>

#include <array>

namespace bgt::config {

namespace {

/// Each by its own name only: a shell or a package manager in front of it does not pass a signal
/// on.
constexpr std::array forwarders{
    KnownService{"gunicorn", " gunicorn ", "", ""},
    KnownService{"worker pool", " uwsgi celery unicorn puma php-fpm ", "", ""},
    KnownService{"web server", " nginx openresty httpd apache2 haproxy ", "", ""},
    KnownService{"database", " postgres mysqld_safe mariadbd-safe ", "", ""},
    KnownService{"compose up", " docker docker-compose podman-compose ", " up(?: |$)", ""},
    KnownService{"process manager",
                 " supervisord foreman honcho overmind hivemind goreman concurrently pm2-runtime "
                 "s6-svscan runsvdir ",
                 "", ""},
    KnownService{"init", " tini dumb-init ", "", ""},
};

} // namespace

std::span<const KnownService> known_forwarders()
{
    return forwarders;
}

} // namespace bgt::config
