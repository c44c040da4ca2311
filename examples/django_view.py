"""Django views whose jobs are tasks of bgt. In one file, with its settings; in a project, the views and
`urlpatterns` are all that is needed.

    bgt serve &
    python3 examples/django_view.py runserver

    curl -X POST -d rows=3 http://127.0.0.1:8000/reports
    curl http://127.0.0.1:8000/reports/1
"""

import os
import sys

import django
from bgt_client import Client, Problem
from django.conf import settings
from django.http import JsonResponse
from django.urls import path
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_POST

if not settings.configured:
    settings.configure(
        ROOT_URLCONF=__name__,
        ALLOWED_HOSTS=["127.0.0.1", "localhost", "testserver"],
        SECRET_KEY=os.urandom(32).hex(),
    )
    django.setup()

bgt = Client()


@csrf_exempt  # for curl; a form of the project needs its token
@require_POST
def submit(request):
    rows = request.POST.get("rows", "")
    if not rows.isdecimal() or not 1 <= int(rows) <= 1000:
        return JsonResponse({"error": "rows: expected 1 to 1000"}, status=400)
    job = bgt.call("submit", argv=["seq", rows], queue="reports", keep=True)
    return JsonResponse({"id": job["id"], "url": f"/reports/{job['id']}"}, status=202)


@require_GET
def report(request, number):
    try:
        task = bgt.task(number)
        if task["lifecycle"] not in ("ended", "lost"):
            return JsonResponse({"state": task["state"], "last": task["last_line"]})
        output = bgt.call("read", id=number, wait_s=0, **{"from": "start"})
    except Problem as error:
        return JsonResponse({"error": str(error), "kind": error.kind}, status=error.status)
    return JsonResponse({"state": task["state"], "output": output["text"]})


urlpatterns = [path("reports", submit), path("reports/<int:number>", report)]

if __name__ == "__main__":
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)
