// Swagger UI over our own description; a trial call goes to this gateway and nowhere else.

window.SwaggerUIBundle({ url: "/openapi.json", dom_id: "#docs", deepLinking: true, validatorUrl: null });
